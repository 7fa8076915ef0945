local function main()
  local bodies = {}
  for i = 1, 5 do
    bodies[#bodies + 1] = {x = i * 1.0, y = i * 0.5, vx = 0.0, vy = 0.1, mass = i * 0.25}
  end
  for step = 1, 200000 do
    for k = 1, 5 do
      local b = bodies[k]
      b.vx = b.vx - b.x * b.mass * 0.001
      b.vy = b.vy - b.y * b.mass * 0.001
      b.x = b.x + b.vx * 0.01
      b.y = b.y + b.vy * 0.01
      bodies[k] = b
    end
  end
  local sum = 0.0
  for _, b in ipairs(bodies) do sum = sum + b.x * b.x + b.y * b.y end
  print(string.format("%d", math.floor(sum * 1000000.0)))
end
main()
