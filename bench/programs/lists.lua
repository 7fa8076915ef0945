local function sieve(n)
  local flags = {}
  local i = 0
  while i <= n do
    flags[#flags + 1] = true
    i = i + 1
  end
  local count = 0
  i = 2
  while i <= n do
    if flags[i + 1] then
      count = count + 1
      local j = i * i
      while j <= n do
        flags[j + 1] = false
        j = j + i
      end
    end
    i = i + 1
  end
  return count
end
local function grow(n)
  local xs = {}
  for i = 1, n do xs[#xs + 1] = i * 2 end
  local sum = 0
  for i = 1, n do sum = sum + xs[i] end
  return sum
end
print(sieve(1000000))
print(grow(2000000))
