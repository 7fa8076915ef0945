local function main()
  local t = 0
  for i = 1, 10000000 do
    t = (t + i * 3) % 1000003
  end
  print(t)
end
main()
