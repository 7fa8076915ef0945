local function main()
  local r = {a = 1, b = 2, c = 3}
  local t = 0
  for i = 1, 5000000 do
    t = t + r.a + r.b + r.c
  end
  print(t)
end
main()
