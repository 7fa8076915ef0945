local function main()
  local xs = {}
  local x = 42
  for i = 1, 300000 do
    x = (x * 1103515245 + 12345) % 2147483648
    xs[#xs + 1] = x
  end
  local sorted = {}
  for i = 1, #xs do sorted[i] = xs[i] end
  table.sort(sorted)
  local by_key = {}
  for i = 1, #xs do by_key[i] = {v = xs[i], k = xs[i] % 1000} end
  table.sort(by_key, function(a, b) return a.k < b.k end)
  local check = 0
  for i = 1, #xs do
    check = (check * 31 + sorted[i] + by_key[i].k) % 1000000007
  end
  print(check)
end
main()
