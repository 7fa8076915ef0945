local function filled(n, seed)
  local rows = {}
  for i = 0, n - 1 do
    local row = {}
    for j = 0, n - 1 do row[#row + 1] = (i * seed + j) % 10 * 1.0 end
    rows[#rows + 1] = row
  end
  return rows
end

local function product(a, b, n)
  local out = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do
      local sum = 0.0
      for k = 1, n do sum = sum + a[i][k] * b[k][j] end
      row[#row + 1] = sum
    end
    out[#out + 1] = row
  end
  return out
end

local function main()
  local c = product(filled(120, 3), filled(120, 7), 120)
  local trace = 0.0
  for i = 1, 120 do trace = trace + c[i][i] end
  print(string.format("%d", math.floor(trace)))
end
main()
