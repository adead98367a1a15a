-- Takes charges in their order, up to the first that is refused, by the generic cell
-- rate algorithm. KEYS: who is counted. ARGV, for each of these: the microseconds of
-- the period, and how many it grants. Answers, for each charge that was taken: how many
-- more are granted now, and the microseconds after which one more is, or -1 where this
-- one was granted.
--
-- Of each subject it keeps when all of its quota will be there again, in microseconds
-- since 1970, which a double holds to a quarter of one.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer = {}
for i, key in ipairs(KEYS) do
    local period, limit = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local gap = period / limit
    local whole_at = math.max(tonumber(redis.call('GET', key) or now), now)
    local wait = whole_at - gap * (limit - 1) - now
    -- What is less than a microsecond is nothing but rounding.
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
