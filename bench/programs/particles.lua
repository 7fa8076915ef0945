local Particle = {}
Particle.__index = Particle
function Particle:speed() return self.vx * self.vx + self.vy * self.vy end

particles = {}
energy = 0.0

function step(dt)
  for i = 1, 10 do
    particles[i].x = particles[i].x + particles[i].vx * dt
    particles[i].y = particles[i].y + particles[i].vy * dt
    if particles[i].x > 10.0 then
      particles[i].vx = 0.0 - particles[i].vx
      particles[i].hits = particles[i].hits + 1
    end
    energy = energy + particles[i]:speed()
  end
end

for i = 0, 9 do
  particles[#particles + 1] =
    setmetatable({x = i * 1.0, y = 0.0, vx = 1.0 + i * 0.5, vy = 0.25, hits = 0}, Particle)
end
for turn = 1, 30000 do step(0.001) end
local hits = 0
for _, p in ipairs(particles) do hits = hits + p.hits end
print(hits .. " " .. string.format("%d", math.floor(energy)))
