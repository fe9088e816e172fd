-- W10.start: a fresh process, from nothing to the first query through a model; run.lua times it from outside.

local la = require "lualchemy"
local Base = la.declarative_base()
local Person = Base:model "Person" {
  __tablename = "person",
  id = la.Column{ la.Integer, primary_key = true },
  name = la.Column{ la.String },
}
local engine = la.create_engine "sqlite://"
Base.metadata:create_all(engine)
local session <close> = la.Session(engine)
assert(#session:scalars(la.select(Person)):all() == 0)
