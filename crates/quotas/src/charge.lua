-- Applies charges in order, up to the first one that is refused, with the generic cell rate
-- algorithm. KEYS: the subjects to charge. ARGV, two per key: the period in microseconds, and
-- the number of requests that it allows. Returns for each charge that it looked at: how many
-- more requests are allowed now, and -1 if the charge was granted, else the microseconds until
-- the next request is allowed.
--
-- For each subject, Redis stores the time at which its quota is full again, in microseconds
-- since 1970. A double holds that with a precision of a quarter of a microsecond.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer = {}
for i, key in ipairs(KEYS) do
    local period, limit = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local gap = period / limit
    local whole_at = math.max(tonumber(redis.call('GET', key) or now), now)
    local wait = whole_at - gap * (limit - 1) - now
    -- Less than a microsecond is a rounding error.
    if wait >= 1 then
        answer[i] = {0, math.ceil(wait)}
        break
    end
    whole_at = whole_at + gap
    local left = math.ceil((whole_at - now) / 1000)
    redis.call('SET', key, string.format('%.3f', whole_at), 'PX', math.max(left, 1))
    local remaining = math.floor((period - (whole_at - now)) / gap + 0.001)
    answer[i] = {math.max(remaining, 0), -1}
end
return answer
