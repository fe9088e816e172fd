/* object.h - an instance: one block of the host's memory.
   Header, then one cell of 8 bytes a slot, then one byte of kind and flags a slot, then the text that came with the row. Reading needs no allocation.
   The host owns the block. A relationship's cell holds the related object's (or list's) address, which the host keeps alive. */
#ifndef ALCH_OBJECT_H
#define ALCH_OBJECT_H

#include "orm/mapper.h"
#include <string.h>

/* object->state */
enum {
  ALCH_STATE_PENDING = 1,      /* added, not yet inserted */
  ALCH_STATE_PERSISTENT = 2,   /* has a row, as far as its session knows */
  ALCH_STATE_DELETED = 4,      /* deleted in a flush, transaction still open; or after its commit: detached */
  ALCH_STATE_DELETING = 8,     /* marked by session:delete, not yet flushed */
  ALCH_STATE_MODIFIED = 16,    /* in the session's list of changed objects */
  ALCH_STATE_EXPIRED = 32,     /* expired singly */
  ALCH_STATE_KEYED = 64,       /* has (had) an identity: detached when without a session, else transient */
  ALCH_STATE_GENERATED = 128,  /* its key was made by the database in the transaction that is open */
  ALCH_STATE_ALONE = 256,      /* nothing came together with it: no need to look for company */
  ALCH_STATE_WRITTEN = 2048,   /* an UPDATE of the step under way was for it, and its listeners are still to be told */
  ALCH_STATE_COPIED = 1024,    /* while a flush is planned: it will be given a foreign key */
  ALCH_STATE_REKEYED = 512     /* a flush of the transaction that is open changed its key: held, since the frame names it */
};

/* kinds[slot]: low four bits alch_value_kind, and */
enum {
  ALCH_SLOT_KIND = 15,
  ALCH_SLOT_OUTSIDE = 16,      /* text: the cell points to an alch_outside_text; else offset and length within the block */
  ALCH_SLOT_CHANGED = 32,      /* set since the last flush (or load) */
  ALCH_SLOT_UNLOADED = 64,     /* no value is known: not set yet, deferred or expired */
  ALCH_SLOT_OLD = 128          /* the journal has the value of the last flush (or load) */
};

typedef union alch_cell {
  int64_t integer;
  double real;
  struct { uint32_t offset, length; } inside;
  const struct alch_outside_text *outside;
  struct alch_object *object;
  struct alch_collection *collection;
} alch_cell;

_Static_assert(sizeof(alch_cell) == 8, "a cell is eight bytes");

typedef struct alch_outside_text { uint32_t length; char bytes[]; } alch_outside_text;

typedef struct alch_object {
  const alch_mapper *mapper;
  struct alch_session *session;    /* NULL: transient or detached */
  uint32_t batch;                  /* objects with one number came together; numbers below session->oldest_batch are expired */
  uint32_t anchor;                 /* place among the session's held objects, 0: not held */
  uint32_t born;                   /* serial of the flush that inserted it; 0: it was loaded */
  uint16_t state;
  uint16_t reserved;
  alch_cell cells[];
} alch_object;

_Static_assert(sizeof(alch_object) == 32, "loaded by the million");

static inline uint8_t *alch_object_kinds(const alch_object *object) { return (uint8_t *)(object->cells + object->mapper->slot_count); }
static inline size_t alch_object_fixed_size(const alch_mapper *mapper) { return sizeof(alch_object) + mapper->slot_count * (sizeof(alch_cell) + 1); }

/* A list of related objects. The host owns the header (kept alive by its owner object) and the arrays. */
typedef struct alch_collection {
  alch_object *owner;
  const alch_relationship *relationship;
  alch_object **items;             /* host->collection_memory 0 */
  uint32_t count, capacity;
  alch_object **committed;         /* the list at the last flush, made on the first change that is no append; NULL: items[0 .. committed_count-1] still are it */
  uint32_t committed_count;
  bool changed;                    /* since the last flush */
  void *host;
} alch_collection;

/* ---- reading ---- */
static inline alch_value alch_object_cell_value(const alch_object *object, uint32_t slot) {
  uint8_t kind = alch_object_kinds(object)[slot];
  alch_cell cell = object->cells[slot];
  alch_value value = { .kind = kind & ALCH_SLOT_KIND, .integer = cell.integer };
  if (alch_value_has_text(value.kind)) {
    if (kind & ALCH_SLOT_OUTSIDE) { value.length = cell.outside->length; value.text = cell.outside->bytes; }
    else { value.length = cell.inside.length; value.text = (const char *)object + cell.inside.offset; }
  }
  return value;
}
bool alch_object_expired(const alch_object *object);      /* as a whole */
/* Is the value of a slot there to be read, with no loading? Key attributes of persistent objects always are. */
bool alch_object_loaded(const alch_object *object, uint32_t slot);
/* The key of an object: mapper->key_count values, text borrowed from it. With `committed`, the key that its row has (changes of key attributes not yet flushed aside). False when some part is not set. */
bool alch_object_key(const alch_object *object, bool committed, alch_value *key);

/* ---- making ----
   Bytes for a block holding these values (slot_count of the mapper's attributes; text inline). */
size_t alch_object_size(const alch_mapper *mapper, const alch_value *values);
/* Fills a zeroed block. given[i] false: slot i stays unloaded. */
void alch_object_fill(alch_object *object, const alch_mapper *mapper, const alch_value *values, const bool *given);

/* ---- writing ----
   Sets an attribute to a value already coerced to its type. Old values are kept for the flush; the object joins the session's changed ones. Events may change or refuse it. */
alch_status alch_object_set(alch_host *host, alch_object *object, uint32_t slot, alch_value value, alch_error *error);
/* The same without events. */
alch_status alch_object_write(alch_host *host, alch_object *object, uint32_t slot, const alch_value *value, alch_error *error);
/* Keeps the value (or related object) of a slot in the session's journal, unless it is there already or not known. Called before the first change of a slot. */
alch_status alch_object_remember(alch_object *object, uint32_t slot, alch_error *error);
struct alch_old_value;
alch_value alch_object_old_cell_value(const alch_object *object, const struct alch_old_value *old);
/* Without history: what a load, a default or the database gave. */
void alch_object_put(alch_host *host, alch_object *object, uint32_t slot, const alch_value *value);
/* Scalar relationship. target may be NULL. Keeps the other side in step, cascades save-update. The current target must be loaded or unknown (an unknown one is forgotten without loading, as SQLAlchemy does for many-to-one without active history). */
alch_status alch_object_set_related(alch_host *host, alch_object *object, const alch_relationship *relationship, alch_object *target, alch_error *error);
/* The list at a relationship, made empty when nothing is there yet (for objects whose list needs no loading). */
alch_collection *alch_object_collection(alch_host *host, alch_object *object, const alch_relationship *relationship);
alch_status alch_collection_insert(alch_host *host, alch_collection *collection, uint32_t index, alch_object *item, alch_error *error);    /* index from 0, at most count */
alch_status alch_collection_replace(alch_host *host, alch_collection *collection, uint32_t index, alch_object *item, alch_error *error);
alch_status alch_collection_remove(alch_host *host, alch_collection *collection, uint32_t index, alch_error *error);
uint32_t alch_collection_find(const alch_collection *collection, const alch_object *item);    /* UINT32_MAX when absent */
/* While loading: no history, no events, no other side. expected: how many items the list may come to have, 0 where nothing is known of that; it is a guess, and counts for the first item alone. */
void alch_collection_load(alch_host *host, alch_collection *collection, alch_object *item, uint32_t expected);
void alch_object_load_related(alch_host *host, alch_object *object, const alch_relationship *relationship, alch_object *target);
/* After lists of a relationship were loaded while changes wait (autoflush off): what the many-to-one side says already is brought into them. */
alch_status alch_relationship_catch_up(struct alch_session *session, const alch_relationship *relationship, alch_error *error);
/* Was this item in the list at the last flush (load)? */
bool alch_collection_was_there(const alch_collection *collection, const alch_object *item);

#endif
