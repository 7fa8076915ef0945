local function main()
  local counts, n = {}, 0
  local x = 1
  for i = 1, 500000 do
    x = (x * 1103515245 + 12345) % 2147483648
    local key = "w" .. (x % 5000)
    local old = counts[key]
    if old == nil then n = n + 1 end
    counts[key] = (old or 0) + 1
  end
  local keys = {}
  for k in pairs(counts) do keys[#keys + 1] = k end
  table.sort(keys)
  local best, most = "", 0
  for _, k in ipairs(keys) do
    if counts[k] > most then
      most = counts[k]
      best = k
    end
  end
  print(best .. " " .. most .. " " .. n)
end
main()
