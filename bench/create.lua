-- Creates leads. Each body is different: its name, address and phone number contain a counter.

done = dofile("report.lua")

local count = 0
local run = 0

function init()
  wrk.headers["Content-Type"] = "application/json"
  math.randomseed(os.time())
  run = math.random(1, 999999)
end

function request()
  count = count + 1
  local body = string.format(
    '{"full_name": "Bench Person %d", "position": "Engineer", "company_name": "Company %d d.o.o.", '
      .. '"email": "person.%d.%d@example.com", "phone_number": "+38591%07d", "source": "website", '
      .. '"notes": "Asked about a web shop, number %d.", "category": "web_dev"}',
    count, count % 1000, run, count, count % 10000000, count)
  return wrk.format("POST", nil, nil, body)
end
