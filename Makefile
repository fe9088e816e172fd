# lualchemy: a C core (liblualchemy.a) under a Lua module (lualchemy.core).
#
#   make            release build             make test       everything that is checked
#   make debug      build with sanitizers     make test T=x   the specs whose path contains x
#   make lint       style, floors, warnings   make bench      figures
#   make demo       a tour on real data       make install    PREFIX=... DESTDIR=...
#   make -s env     shell lines with which any Lua script sees this tree
#
# Sources are found by wildcard; everything made goes to build/.

MODE        ?= release
BUILD       ?= build/$(MODE)
LUA_VERSION ?= 5.4
LUA         ?= lua$(LUA_VERSION)
LUA_INCDIR  ?= /usr/include/lua$(LUA_VERSION)
PREFIX      ?= /usr/local
LIBFLAG     ?= -shared
WERROR      ?= -Werror

# LuaRocks sets these; by hand they are where the rest of PREFIX would expect them.
INST_LUADIR ?= $(PREFIX)/share/lua/$(LUA_VERSION)
INST_LIBDIR ?= $(PREFIX)/lib/lua/$(LUA_VERSION)
INST_BINDIR ?= $(PREFIX)/bin

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif

# The floors call each other a lot, so the release build optimises across files; the objects stay
# fat, because liblualchemy.a is also for other compilers and for nm. Only gcc knows these options.
ifeq ($(MODE),debug)
# gcc's: its sanitizer is a library that can be loaded under a lua that was built without.
CFLAGS   ?= -O1 -g
MODE_FLAGS = -DALCH_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# A closed Lua state unloads its libraries; a leak found after that could not name its functions.
MODE_LINK  = -Wl,-z,nodelete
else
CFLAGS   ?= -O2 -g
ifeq ($(origin LTO),undefined)
LTO      := $(if $(findstring Free Software,$(shell $(CC) --version 2>/dev/null)),-flto=auto -ffat-lto-objects)
endif
MODE_FLAGS = -DNDEBUG $(LTO)
endif

WARNINGS  = -Wall -Wextra -Wpedantic $(WERROR)
LANGUAGE  = -std=c11 -D_GNU_SOURCE -Isrc $(WARNINGS) $(addprefix -I,$(SQLITE_INCDIR))
COMPILE   = $(CC) $(LANGUAGE) $(CPPFLAGS) $(CFLAGS) $(MODE_FLAGS) -fPIC -fno-plt -fvisibility=hidden
LIBRARIES = $(addprefix -L,$(SQLITE_LIBDIR)) -lsqlite3 -ldl -lm -lpthread

FLOOR_SOURCES   := $(wildcard $(addprefix src/,$(addsuffix /*.c,\
                     base schema sql sql/dialects engine engine/drivers orm migrate)))
BINDING_SOURCES := $(wildcard src/lua/*.c)
LUA_SOURCES     := $(shell find lua -name '*.lua' 2>/dev/null)
HEADERS          = $(shell find src -path src/lua -prune -o -name '*.h' -print -o -name '*.def' -print)
SPEC_SOURCES    := $(wildcard spec/c/*_spec.c spec/host/*_spec.c)
# The limits on servers are built where their client libraries' headers are.
PQ_INCDIR       ?= /usr/include/postgresql
MARIADB_INCDIR  ?= /usr/include/mariadb
BENCH_SOURCES   := bench/limit_sqlite.c $(if $(wildcard $(PQ_INCDIR)/libpq-fe.h),bench/limit_pg.c) \
                   $(if $(wildcard $(MARIADB_INCDIR)/mysql.h),bench/limit_mysql.c)
BENCH_INCLUDES   = $(addprefix -isystem ,$(PQ_INCDIR) $(MARIADB_INCDIR))
ifdef T
SPEC_SOURCES    := $(foreach spec,$(SPEC_SOURCES),$(if $(findstring $(T),$(spec)),$(spec)))
endif

FLOOR_OBJECTS   := $(FLOOR_SOURCES:src/%.c=$(BUILD)/object/%.o)
BINDING_OBJECTS := $(BINDING_SOURCES:src/%.c=$(BUILD)/object/%.o)
SPEC_PROGRAMS   := $(SPEC_SOURCES:%.c=$(BUILD)/%)
BENCH_PROGRAMS  := $(BENCH_SOURCES:%.c=build/%)
ARCHIVE         := $(BUILD)/liblualchemy.a
MODULE          := $(BUILD)/lualchemy/core.so

LUA_ENVIRONMENT = LUA_PATH='$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;' \
                  LUA_CPATH='$(CURDIR)/$(BUILD)/?.so;;'

.PHONY: all debug specs test lint lint-lua lint-source lint-gcc lint-clang bench demo install install-lua install-c env clean FORCE
.DELETE_ON_ERROR:

all: $(ARCHIVE) $(MODULE)

debug:
	@$(MAKE) --no-print-directory MODE=debug all

# One word a file; V=1 shows the commands.
say = $(if $(V),,@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,echo '  $(1) $@';))

# Changed flags or a changed list of files must rebuild what hangs on them, so both are kept in files
# that are only touched when their text changes.
define remember
@mkdir -p $(@D)
@printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' > $@
endef

$(BUILD)/flags: FORCE
	$(call remember,$(COMPILE) $(LUA_INCDIR) $(LIBRARIES))
$(BUILD)/members: FORCE
	$(call remember,$(FLOOR_OBJECTS) $(BINDING_OBJECTS))

# Only the binding sees Lua's headers.
$(BUILD)/object/lua/%.o: COMPILE += -I$(LUA_INCDIR)

$(BUILD)/object/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc) $(COMPILE) -MMD -MP -c -o $@ $<

$(ARCHIVE): $(FLOOR_OBJECTS) $(BUILD)/members
	@$(RM) $@
	$(call say,ar) $(AR) rcs $@ $(FLOOR_OBJECTS)

$(MODULE): $(BINDING_OBJECTS) $(ARCHIVE) $(BUILD)/members
	@mkdir -p $(@D)
	$(call say,link) $(COMPILE) $(LIBFLAG) $(MODE_LINK) $(LDFLAGS) -o $@ $(BINDING_OBJECTS) $(ARCHIVE) $(LIBRARIES)

# One command from source to program, and the old program removed first: a spec that no longer
# compiles must not leave its last good build behind to be run.
$(BUILD)/spec/c/%: spec/c/%.c spec/c/check.c $(ARCHIVE) $(BUILD)/flags
	@mkdir -p $(@D); $(RM) $@
	$(call say,cc) $(COMPILE) -Ispec/c -MMD -MP -MF $@.d -o $@ $< spec/c/check.c $(ARCHIVE) $(LIBRARIES)

# A host that embeds Lua: the binding linked in, with the shared library of Lua.
$(BUILD)/spec/host/%: spec/host/%.c spec/c/check.c $(BINDING_OBJECTS) $(ARCHIVE) $(BUILD)/flags
	@mkdir -p $(@D); $(RM) $@
	$(call say,cc) $(COMPILE) -Ispec/c -I$(LUA_INCDIR) -MMD -MP -MF $@.d -o $@ $< spec/c/check.c $(BINDING_OBJECTS) $(ARCHIVE) -llua$(LUA_VERSION) $(LIBRARIES)

specs: $(SPEC_PROGRAMS)

test:
	+@MAKE='$(MAKE)' CC='$(CC)' LUA='$(LUA)' T='$(T)' $(LUA) tools/test.lua

lint: lint-lua lint-source lint-gcc lint-clang

lint-lua:
	luacheck --quiet $(wildcard lua spec examples bench tools) bin/lualchemy

lint-source: all
	$(LUA) tools/lint.lua . $(BUILD)

# Every source as both builds see it.
lint-gcc lint-clang: lint-%:
	@for mode in NDEBUG ALCH_DEBUG; do echo "$* -D$$mode -fsyntax-only ..."; \
	  $* -D$$mode -fsyntax-only $(LANGUAGE) -Ispec/c -I$(LUA_INCDIR) $(FLOOR_SOURCES) $(BINDING_SOURCES) \
	    $(wildcard spec/c/*.c spec/host/*.c) || exit 1; done
	@$* -fsyntax-only $(LANGUAGE) $(BENCH_INCLUDES) $(BENCH_SOURCES)

build/bench/limit_pg: BENCH_LIBRARIES = -lpq
build/bench/limit_mysql: BENCH_LIBRARIES = -lmariadb
build/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(call say,cc) $(CC) $(LANGUAGE) $(BENCH_INCLUDES) -O2 -DNDEBUG -MMD -MP -MF $@.d -o $@ $< $(LIBRARIES) $(BENCH_LIBRARIES)

bench: all $(BENCH_PROGRAMS)
	$(LUA_ENVIRONMENT) $(LUA) bench/run.lua

demo:
	@sh tools/install.sh run
	@$(MAKE) --no-print-directory all
	@$(LUA_ENVIRONMENT) $(LUA) examples/$(if $(wildcard /var/lib/dpkg/status),packages,timezones).lua

# What Lua needs, which is all that a rock holds, and what C needs.
install: install-lua install-c

install-lua: all
	for file in $(LUA_SOURCES:lua/%=%); do \
	  install -D -m 644 "lua/$$file" "$(DESTDIR)$(INST_LUADIR)/$$file" || exit 1; done
	install -D -m 755 $(MODULE) "$(DESTDIR)$(INST_LIBDIR)/lualchemy/core.so"
	install -D -m 755 bin/lualchemy "$(DESTDIR)$(INST_BINDIR)/lualchemy"
	sed -i '1s/lua[0-9.]*$$/lua$(LUA_VERSION)/' "$(DESTDIR)$(INST_BINDIR)/lualchemy"

install-c: all
	for file in $(HEADERS:src/%=%); do \
	  install -D -m 644 "src/$$file" "$(DESTDIR)$(PREFIX)/include/lualchemy/$$file" || exit 1; done
	install -D -m 644 $(ARCHIVE) "$(DESTDIR)$(PREFIX)/lib/liblualchemy.a"

env:
	@echo "export LUA_PATH='$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;'"
	@echo "export LUA_CPATH='$(CURDIR)/$(BUILD)/?.so;;'"

clean:
	$(RM) -r build

-include $(FLOOR_OBJECTS:.o=.d) $(BINDING_OBJECTS:.o=.d) $(SPEC_PROGRAMS:=.d) $(BENCH_PROGRAMS:=.d)
