/* hook.h - text that comes from outside of the core: custom constructs, and renderers put in place of the core's own; and text that is put round other text.
   Hooks belong to the catalog. Declaring one makes every compiled statement of the catalog forgotten, since its text might be another now.
   A piece of SQL that was rendered and taken back again is *marked text*: each of its placeholders is a mark, whose slot the call keeps, so that pieces may be put together in any order, and more than once. */
#ifndef ALCH_HOOK_H
#define ALCH_HOOK_H

#include "sql/compiler.h"

typedef struct alch_hook_call {
  alch_compiler *compiler;
  const alch_node *node;
  alch_slot *slots;             /* of the marks; in the compiler's scratch arena */
  uint32_t slot_count, slot_capacity;
} alch_hook_call;

/* Writes the text for call->node with alch_hook_write. ALCH_HOST_ERROR for an error of the host's own. */
typedef alch_status (*alch_hook_render)(void *context, alch_hook_call *call);

typedef struct alch_hook {
  uint8_t kind;                 /* node kind; CONSTRUCT has a name as well */
  const char *name, *dialect;   /* dialect NULL: all that have no hook of their own */
  alch_hook_render render;
  void *context;
  struct alch_hook *next;
} alch_hook;

/* The texts are copied. A later hook of the same kind, name and dialect takes the place of an earlier one. */
alch_status alch_hook_add(alch_catalog *catalog, const alch_hook *hook, alch_error *error);
/* Is there any for this kind of node in this dialect? */
bool alch_hook_exists(const alch_catalog *catalog, uint8_t kind, const char *dialect);
/* Renders a node of which there is a hook; a CONSTRUCT without one is an error that says so. */
alch_status alch_render_hooked(alch_compiler *compiler, const alch_node *node);

/* For a hook: the SQL of a part of its node (or of the node itself as it would be without the hook), appended to `out` as marked text. */
alch_status alch_hook_process(alch_hook_call *call, const alch_node *part, alch_buffer *out);
alch_status alch_hook_default(alch_hook_call *call, alch_buffer *out);
/* Marked text, into the statement. */
alch_status alch_hook_write(alch_hook_call *call, const char *text, size_t length);

/* What was written since `start`, with the slots from `first` on, is put into a block of a type, where its OPERAND stands. */
alch_status alch_wrap(alch_compiler *compiler, size_t start, uint32_t first, const alch_block *round);

#endif
