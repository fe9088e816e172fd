/* lualchemy.h - the C core for programs that have no Lua: everything below the binding.
   Include this one header and link liblualchemy.a with sqlite3, m, dl and pthread. Where to begin: alch_catalog_open (tables live there), alch_engine_open,
   alch_engine_connect; with objects: alch_registry_new, alch_session_open and a host of your own (orm/host.h). Each header says who owns what and which errors come.
   Nothing here keeps state of its own outside of what it hands out. */
#ifndef LUALCHEMY_H
#define LUALCHEMY_H

#include "base/date.h"
#include "base/decimal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/value.h"
#include "engine/engine.h"
#include "orm/load.h"
#include "orm/session.h"
#include "schema/metadata.h"
#include "sql/compile.h"
#include "sql/ddl.h"
#include "sql/expression.h"

#endif
