local function copy(t) return table.move(t, 1, #t, 1, {}) end

local function place(row, n, columns, up, down)
  if row == n then return 1 end
  local ways = 0
  for c = 0, n - 1 do
    if not columns[c + 1] and not up[row + c + 1] and not down[row - c + n + 1] then
      local columns2, up2, down2 = copy(columns), copy(up), copy(down)
      columns2[c + 1], up2[row + c + 1], down2[row - c + n + 1] = true, true, true
      ways = ways + place(row + 1, n, columns2, up2, down2)
    end
  end
  return ways
end

local function flags(n)
  local out = {}
  for i = 1, n do out[#out + 1] = false end
  return out
end

local function main()
  local total = 0
  for turn = 1, 8 do total = total + place(0, 8, flags(8), flags(16), flags(17)) end
  print(total)
end
main()
