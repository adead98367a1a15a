-- Takes charges back. KEYS: the subjects. ARGV, two per key: the period in microseconds times the
-- number of charges to take back, and the number of requests that the period allows.
--
-- See charge.lua for what is stored. A quota that is full by now is no longer stored.
for i, key in ipairs(KEYS) do
    local whole_at = tonumber(redis.call('GET', key) or 0)
    local earlier = tonumber(ARGV[2 * i - 1]) / tonumber(ARGV[2 * i])
    local time = redis.call('TIME')
    local left = math.ceil((whole_at - earlier - time[1] * 1000000 - time[2]) / 1000)
    if left > 0 then
        redis.call('SET', key, string.format('%.3f', whole_at - earlier), 'PX', left)
    else
        redis.call('DEL', key)
    end
end
