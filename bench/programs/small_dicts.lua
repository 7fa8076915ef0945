local function main()
  local t = 0
  for i = 1, 3000000 do
    local r = {a = i, b = i + 1, c = 2}
    t = (t + r.a + r.b * r.c) % 1000003
  end
  print(t)
end
main()
