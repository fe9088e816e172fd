/* load_state.h - what the files of loading share.
   A load is a stack of steps, one statement each (or one statement for each chunk of keys); a step that is done pushes those that follow from it. Loads themselves are a stack too, on the session:
   an event or a flush in the midst of one may start another. All memory of a load goes when it ends; nothing it has half done is left visible. */
#ifndef ALCH_LOAD_STATE_H
#define ALCH_LOAD_STATE_H

#include "orm/load.h"
#include "orm/load_keys.h"

/* In the kind bits of a relationship's slot while it is unloaded: an option forbids to load it. */
enum { ALCH_SLOT_RAISES = 1 };

enum { ALCH_LOAD_CHUNK = 512, ALCH_LOAD_WIDE_CHUNK = 64 };   /* keys a statement; of several columns */

/* Models on the way from the statement that began it all. */
typedef struct alch_load_path { const alch_mapper *mapper; const struct alch_load_path *outer; } alch_load_path;

/* An entity of a statement under way. */
typedef struct alch_load_entity {
  alch_object *object;             /* of the current row */
  bool made;                       /* by the current row: no row before can have had it */
  const alch_object *owner;        /* whose list is being filled */
  alch_collection *list;           /* that list; NULL: it has one already */
  uint32_t list_length;            /* of the list that had the last item: the next one may become as long */
  alch_object_list gathered;       /* for follow-ups */
} alch_load_entity;

typedef enum alch_load_step_kind { ALCH_STEP_QUERY, ALCH_STEP_KEYS, ALCH_STEP_RELATED } alch_load_step_kind;
typedef enum alch_load_stage { ALCH_STAGE_NEW, ALCH_STAGE_READY, ALCH_STAGE_STARTING, ALCH_STAGE_ROWS, ALCH_STAGE_END, ALCH_STAGE_OVER } alch_load_stage;

typedef struct alch_load_step {
  struct alch_load_step *outer;
  uint8_t kind, stage;
  bool populate, refreshed;
  bool paused;                     /* at the limit */
  bool by_parts;                   /* rows are read entity by entity */
  const alch_block *block;
  const alch_parameters *parameters;
  alch_compiled *compiled;         /* held */
  const alch_plan *plan;
  alch_load_entity *entities, entity;   /* `entity` where there is one only */
  alch_value *cells;               /* room for the attributes of any entity, unless rows are what objects are */
  alch_load_pairs rows, links, lists;   /* rows emitted; list and item; owner and relationship of the lists that are being filled */
  bool links_kept;                 /* `links` has what is in these lists: from the first item on that may be there already */
  alch_map whole_rows;             /* rows emitted, where they have several places */
  const alch_load_path *path;
  /* by keys */
  alch_bind *bind;                 /* where it goes; NULL: not known yet */
  const alch_mapper *mapper;       /* of what is loaded */
  const alch_relationship *relationship;
  const alch_node *options;
  alch_object **objects;           /* whose keys, or whose relationship; in the load's arena */
  uint32_t object_count;
  uint32_t width;                  /* values a key */
  const alch_value *key;           /* the one key there is; NULL: those of `keys` */
  uint32_t *key_of, *next;         /* by object: number of its key + 1; the next one with the same key + 1 */
  alch_load_keys keys;
  uint32_t *wanted, wanted_count;  /* keys to be asked for */
  uint32_t first, count, padded;   /* the chunk under way */
  /* stays when the record is used again */
  alch_execution execution;
} alch_load_step;

typedef enum alch_load_kind { ALCH_LOAD_QUERY, ALCH_LOAD_GET, ALCH_LOAD_SLOT, ALCH_LOAD_REFRESH, ALCH_LOAD_RELATED } alch_load_kind;

typedef struct alch_load_event { alch_object *object; alch_object_event event; } alch_load_event;

struct alch_load {
  alch_registry *registry;
  struct alch_load *outer;
  uint8_t kind;
  bool waiting;                    /* answered ALCH_WAIT: the same call goes on */
  bool flushed, populate;
  bool rests;                      /* answered ALCH_ROW: nothing is half done */
  uint32_t batch, limit, emitted;
  uint32_t met;                    /* objects that this load made or met, */
  alch_object *last_met;           /* and the last of them */
  alch_load_step *step;
  uint32_t event_count, event_next;
  struct alch_load **place;        /* see alch_load_watch; or NULL */
  /* whose it is */
  const void *subject;             /* mapper or relationship */
  alch_object *object;             /* touched; found */
  uint32_t slot;
  /* stays when the record is used again */
  alch_session *session;
  alch_load_step *spare;
  alch_arena arena;
  alch_arena kept;                 /* with a limit: what the statement needs from piece to piece, `arena` being a piece's own */
  alch_object_list siblings;       /* here, so that nothing is lost when the host leaves by a long jump */
  alch_load_event *events;
  uint32_t event_capacity;
  const alch_mapper *get_mapper;   /* what was got by key last, and its statement */
  alch_compiled *get_compiled;     /* held */
  alch_value key[ALCH_KEY_LIMIT];
};

/* ---- load.c: loads as a stack ---- */
alch_status alch_load_open(alch_session *session, alch_registry *registry, alch_load_kind kind, alch_load **out, alch_error *error);
/* The load that goes on after a wait, or NULL. */
alch_load *alch_load_resumed(alch_session *session, alch_load_kind kind, const void *subject, const alch_object *object, uint32_t slot);
/* Runs to the end. Closes the load unless it waits; `check` is asked before that when all went well. */
alch_status alch_load_drive(alch_load *load, alch_status (*check)(alch_load *load, alch_error *error), alch_error *error);
alch_status alch_load_note(alch_load *load, alch_object *object, alch_object_event event, alch_error *error);

/* ---- load_step.c: one statement ---- */
alch_load_step *alch_load_push(alch_load *load, alch_load_step_kind kind, alch_error *error);
void alch_load_pop(alch_load *load);
void alch_load_free_steps(alch_load *load);
alch_status alch_load_prepare(alch_load *load, alch_load_step *step, alch_error *error);      /* compiles step->block */
/* ALCH_DONE: the step is over; ALCH_ROW: at the limit; ALCH_OK: another step comes first. */
alch_status alch_load_step_run(alch_load *load, alch_load_step *step, alch_error *error);
/* Pushes the follow-ups of the objects that were gathered. */
alch_status alch_load_follow(alch_load *load, alch_load_step *step, alch_error *error);

/* ---- load_rows.c ---- */
alch_status alch_load_read_rows(alch_load *load, alch_load_step *step, alch_error *error);    /* ALCH_DONE, ALCH_ROW (limit), ALCH_WAIT */
void alch_load_complete_lists(alch_load_step *step);
/* Puts an item at the end of a list, the one of its entity. */
void alch_load_append(alch_host *host, alch_load_entity *entity, alch_collection *list, alch_object *item);
/* The child's way back to its parent is known. */
void alch_load_link_back(alch_host *host, const alch_relationship *relationship, alch_object *parent, alch_object *child);

/* ---- load_object.c: cells ---- */
/* A new object from the current row. */
alch_object *alch_load_make(alch_load *load, alch_load_step *step, const alch_plan_entity *entity, const alch_value *row, const alch_value *key);
/* An object that is there already meets its row. Was it expired (or is to be overwritten), and is now as the row has it? */
bool alch_load_meet(alch_load *load, alch_load_step *step, const alch_plan_entity *entity, const alch_value *row, alch_object *object);
/* Ends the expiry of an object as a whole: each slot is unloaded for itself, and the object belongs to this load. */
void alch_load_settle(alch_load *load, alch_object *object, bool populate);

/* ---- load_relationship.c ---- */
alch_status alch_load_push_related(alch_load *load, const alch_relationship *relationship, alch_object *const *objects, uint32_t count, const alch_node *options, const alch_load_path *path,
                                   alch_error *error);
alch_status alch_load_gather_related(alch_load *load, alch_load_step *step, alch_error *error);
alch_status alch_load_link_related(alch_load *load, alch_load_step *step, const alch_value *row, alch_object *object, alch_error *error);
alch_status alch_load_complete_related(alch_load *load, alch_load_step *step, alch_error *error);

/* ---- load_slot.c ---- */
alch_status alch_load_push_keys(alch_load *load, const alch_mapper *mapper, alch_object *const *objects, uint32_t count, const alch_node *options, alch_error *error);

#endif
