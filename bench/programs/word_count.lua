local function text()
  local words = {"The", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "and", "Runs", "away"}
  local out = {}
  for i = 0, 59999 do
    out[#out + 1] = words[(i * i + 3 * i) % 12 + 1]
    out[#out + 1] = i % 11 == 0 and "\n" or " "
  end
  return table.concat(out)
end

local function main()
  local counts = {}
  for line in text():gmatch("[^\n]+") do
    for word in line:gmatch("[^ ]+") do
      local key = word:lower()
      counts[key] = (counts[key] or 0) + 1
    end
  end
  local pairs_ = {}
  for word, count in pairs(counts) do pairs_[#pairs_ + 1] = {word = word, count = count} end
  table.sort(pairs_, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.word < b.word
  end)
  for _, p in ipairs(pairs_) do print(p.word .. " " .. p.count) end
end
main()
