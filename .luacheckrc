-- The library stays in the common subset of 5.1 to 5.5; the rest runs on the Lua that make uses.
std = "min"
max_line_length = 140
files["spec"] = { std = "lua54+busted" }
files["examples"] = { std = "lua54" }
files["bench"] = { std = "lua54" }
files["tools"] = { std = "lua54" }
