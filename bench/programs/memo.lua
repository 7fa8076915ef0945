local function main()
  local known, best, longest, count = {}, 0, 0, 0
  for start = 1, 60000 do
    local n, steps = start, 0
    while n ~= 1 do
      local seen = nil
      if n < start then seen = known[tostring(n)] end
      if seen ~= nil then
        steps = steps + seen
        n = 1
      else
        if n % 2 == 0 then n = n // 2 else n = 3 * n + 1 end
        steps = steps + 1
      end
    end
    known[tostring(start)] = steps
    count = count + 1
    if steps > longest then longest, best = steps, start end
  end
  print(best .. " " .. longest .. " " .. count)
end
main()
