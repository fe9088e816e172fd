-- Built by the Makefile, which finds the sources by itself: a list of modules here would be a second one.
rockspec_format = "3.0"
package = "lualchemy"
version = "dev-1"
source = {
  url = "git+file://.", -- `luarocks make` in a checkout never fetches it
}
description = {
  summary = "SQLAlchemy's idea for Lua: expressions, models, unit of work and migrations over a C core",
  license = "MIT",
}
dependencies = {
  "lua >= 5.4",
}
external_dependencies = {
  SQLITE = { header = "sqlite3.h", library = "sqlite3" },
}
build = {
  type = "make",
  build_target = "all",
  install_target = "install-lua",
  -- A folder of its own, so that a build for another Lua or with other flags leaves build/release alone;
  -- and warnings of a compiler that we have not tried stop nobody.
  variables = {
    BUILD = "build/rock",
    WERROR = "",
    CC = "$(CC)",
    CFLAGS = "$(CFLAGS)",
    LIBFLAG = "$(LIBFLAG)",
    LUA = "$(LUA)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    SQLITE_INCDIR = "$(SQLITE_INCDIR)",
    SQLITE_LIBDIR = "$(SQLITE_LIBDIR)",
  },
  install_variables = {
    INST_LUADIR = "$(LUADIR)",
    INST_LIBDIR = "$(LIBDIR)",
    INST_BINDIR = "$(BINDIR)",
  },
}
test = {
  type = "command",
  command = "make test",
}
