local function map(xs, f)
  local out = {}
  for i = 1, #xs do out[i] = f(xs[i]) end
  return out
end
local function filter(xs, p)
  local out = {}
  for i = 1, #xs do
    local x = xs[i]
    if p(x) then out[#out + 1] = x end
  end
  return out
end
local function reduce(xs, init, f)
  local acc = init
  for i = 1, #xs do acc = f(acc, xs[i]) end
  return acc
end
local function main()
  local xs = {}
  for i = 1, 1000 do xs[#xs + 1] = i end
  local total = 0
  for round = 1, 1500 do
    local ys = map(xs, function(x) return x * 2 + round end)
    local zs = filter(ys, function(y) return y % 3 == 0 end)
    total = (total + reduce(zs, 0, function(acc, z) return acc + z end)) % 1000000007
  end
  print(total)
end
main()
