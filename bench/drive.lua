-- Requests are made once, before the clock starts, and sent in turn.
local requests, count, turn = {}, 0, 0

function init(args)
  local tokens, path, limit, method, bytes = args[1], args[2], tonumber(args[3]), args[4], tonumber(args[5])
  local body = nil
  if bytes > 0 then body = string.rep("x", bytes) end
  for line in io.lines(tokens) do
    if count == limit then break end
    count = count + 1
    requests[count] = wrk.format(method, path, { Authorization = "Bearer " .. line, Accept = "*/*" }, body)
  end
end

function request()
  turn = turn % count + 1
  return requests[turn]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
