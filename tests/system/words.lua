-- SPDX-License-Identifier: MIT
-- Counts the words of the files named: the most frequent first.

local counts, total = {}, 0

for _, path in ipairs(arg) do
    local file = assert(io.open(path))
    local lines, words = 0, 0

    for line in file:lines() do
        lines = lines + 1

        for word in line:gmatch("%a+") do
            word = word:lower()
            counts[word] = (counts[word] or 0) + 1
            words = words + 1
        end
    end

    file:close()
    total = total + words
    print(string.format("%-30s %6d %7d", path:match("[^/]*$"), lines, words))
end

local list = {}

for word in pairs(counts) do
    list[#list + 1] = word
end

table.sort(list, function(a, b)
    if counts[a] ~= counts[b] then
        return counts[a] > counts[b]
    end

    return a < b
end)

for rank = 1, math.min(40, #list) do
    local word = list[rank]
    print(string.format("%-20s %6d %8.4f%%", word, counts[word],
                        100 * counts[word] / total))
end

print(total, #list, total // 7, total % 7, math.sqrt(total))
