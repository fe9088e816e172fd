--- How a transaction ends that was begun for a function, be it a connection's or a session's.
local ending = {}

-- What the function or the commit has raised is raised as it is, whatever the rollback says.
local function give_up(transaction, failure)
  if transaction.is_active then pcall(transaction.rollback, transaction) end
  error(failure, 0)
end

--- finish(transaction, pcall(fn, …)): commits and answers what fn has answered, or rolls back and raises what it has raised. A commit
-- that fails leaves nothing open.
function ending.finish(transaction, ok, ...)
  if not ok then give_up(transaction, (...)) end
  if transaction.is_active then
    local committed, failure = pcall(transaction.commit, transaction)
    if not committed then give_up(transaction, failure) end
  end
  return ...
end

return ending
