/* host.h - what the core asks of the language above it.
   The core never sees more of an object than its block of memory (object.h). A host gives out blocks, keeps them alive, finds them again by key, and calls the user's functions. The Lua
   binding implements this record; C specs implement it with plain arrays.

   Leaving: functions that answer a status report trouble of the user's own code as ALCH_HOST_ERROR (the host keeps the error). For lack of memory a host may also leave by a long jump out
   of any of these functions: all work in progress hangs on the session (alch_session_abandon clears it up), so nothing is lost by that. */
#ifndef ALCH_HOST_H
#define ALCH_HOST_H

#include "base/error.h"
#include "base/value.h"
#include "schema/type.h"

struct alch_bind;
struct alch_collection;
struct alch_column;
struct alch_mapper;
struct alch_object;
struct alch_relationship;
struct alch_session;
struct alch_table;

typedef enum alch_object_event {
  ALCH_EVENT_LOAD, ALCH_EVENT_REFRESH,
  ALCH_EVENT_BEFORE_INSERT, ALCH_EVENT_AFTER_INSERT, ALCH_EVENT_BEFORE_UPDATE, ALCH_EVENT_AFTER_UPDATE, ALCH_EVENT_BEFORE_DELETE, ALCH_EVENT_AFTER_DELETE,
  ALCH_EVENT_COUNT
} alch_object_event;

typedef enum alch_session_event {
  ALCH_SESSION_BEFORE_FLUSH, ALCH_SESSION_AFTER_FLUSH, ALCH_SESSION_BEFORE_COMMIT, ALCH_SESSION_AFTER_COMMIT, ALCH_SESSION_AFTER_ROLLBACK, ALCH_SESSION_AFTER_BEGIN,
  ALCH_SESSION_EVENT_COUNT
} alch_session_event;

typedef struct alch_host alch_host;
struct alch_host {
  /* A zeroed block for an object that is being loaded, entered in the session's identity map under `key` at once (the map does not keep it alive: the host keeps it alive until emit or keep was called). */
  struct alch_object *(*object_new)(alch_host *host, struct alch_session *session, const struct alch_mapper *mapper, const alch_value *key, size_t size);
  /* The session's object with this key (mapper->key_count values), or NULL. It stays alive until emit or keep. */
  struct alch_object *(*identity_find)(alch_host *host, struct alch_session *session, const struct alch_mapper *mapper, const alch_value *key);
  /* Enters an object that is held (after its insert, or given back after a rollback). */
  void (*identity_add)(alch_host *host, struct alch_session *session, struct alch_object *object, const alch_value *key);
  void (*identity_remove)(alch_host *host, struct alch_session *session, const struct alch_mapper *mapper, const alch_value *key);
  /* Empties the session's identity map. */
  void (*identity_clear)(alch_host *host, struct alch_session *session);
  /* Calls visit for the objects of a mapper (NULL: of all) in the identity map, beginning with those next to `from` where the host knows an order, until it answers false. visit does not touch the map. */
  void (*identity_each)(alch_host *host, struct alch_session *session, const struct alch_mapper *mapper, struct alch_object *from, bool (*visit)(void *context, struct alch_object *object), void *context);

  /* While loading: what identity_find or object_new gave last becomes place `place` of the current result row / stays alive until the end of the load. NULL objects are emitted too (outer joins). */
  void (*emit)(alch_host *host, struct alch_object *object, uint32_t place);
  void (*emit_value)(alch_host *host, const alch_value *value, const alch_type *type, uint32_t place);
  void (*emit_row)(alch_host *host);          /* the row is complete */
  void (*keep)(alch_host *host, struct alch_object *object);

  /* A strong reference from the session to an object (object->anchor is set, never 0) and its end (anchor 0). The object is known: it was reached, or given by the host, in this call. */
  void (*hold)(alch_host *host, struct alch_session *session, struct alch_object *object);
  void (*release)(alch_host *host, struct alch_session *session, struct alch_object *object);
  /* Ends all of a session's strong references; their anchors are the core's to clear. */
  void (*release_all)(alch_host *host, struct alch_session *session);
  /* The object that hangs at a slot of `from` (a scalar), or at place `index` of the list there, is about to be used: make it known. */
  void (*reach)(alch_host *host, struct alch_object *from, uint32_t slot, uint32_t index);
  /* `object` keeps `target` alive at a slot; NULL: no more. */
  void (*relate)(alch_host *host, struct alch_object *object, uint32_t slot, struct alch_object *target);
  /* A zeroed list header, kept alive by the object at the slot. */
  struct alch_collection *(*collection_new)(alch_host *host, struct alch_object *object, uint32_t slot);
  /* Memory that lives as long as the list: `which` 0 its items (asked for before the first of them comes), 1 its committed items; asking again grows it as realloc does: what was in it stays (which = 1:
     contents need not stay). Never NULL. */
  void *(*collection_memory)(alch_host *host, struct alch_collection *collection, int which, size_t size);
  /* The list keeps its items alive; the same order as collection->items, called before items changes. index from 0. object NULL: take the item out and close the gap. */
  void (*collection_insert)(alch_host *host, struct alch_collection *collection, uint32_t index, struct alch_object *object);
  void (*collection_replace)(alch_host *host, struct alch_collection *collection, uint32_t index, struct alch_object *object);
  void (*collection_remove)(alch_host *host, struct alch_collection *collection, uint32_t index);
  /* Memory for `size` bytes of text of an attribute, living as long as the object has them there; what was there before stays alive as the committed text until the next flush of the object. */
  char *(*text_new)(alch_host *host, struct alch_object *object, uint32_t slot, size_t size);

  /* The user's code. */
  alch_status (*default_value)(alch_host *host, const struct alch_column *column, bool update, int64_t reference, alch_value *out, alch_error *error);   /* text good until the next call */
  alch_status (*object_event)(alch_host *host, alch_object_event event, struct alch_object *object);
  alch_status (*session_event)(alch_host *host, alch_session_event event, struct alch_session *session);
  /* The bind (orm/bind.h) of a session that is routed: where this mapper's rows are, or those of the table, which the user may have sent elsewhere. writes: for a flush. Without a mapper only what the user has said
     of the table counts, and *out may be NULL. UNBOUND_EXECUTION is the host's own error. */
  alch_status (*find_bind)(alch_host *host, struct alch_session *session, const struct alch_mapper *mapper, const struct alch_table *table, bool writes, struct alch_bind **out, alch_error *error);
  /* attribute events: value is what is being set (may be changed by the listener). Asked only for slots that have listeners. */
  alch_status (*attribute_event)(alch_host *host, struct alch_object *object, uint32_t slot, alch_value *value);
  alch_status (*related_event)(alch_host *host, struct alch_object *object, uint32_t slot, struct alch_object *target, bool added);
};

#endif
