class Particle:
    def __init__(self, x, y, vx, vy, hits):
        self.x, self.y, self.vx, self.vy, self.hits = x, y, vx, vy, hits

    def speed(self):
        return self.vx * self.vx + self.vy * self.vy


particles = []
energy = 0.0


def step(dt):
    global energy
    for i in range(10):
        particles[i].x += particles[i].vx * dt
        particles[i].y += particles[i].vy * dt
        if particles[i].x > 10.0:
            particles[i].vx = 0.0 - particles[i].vx
            particles[i].hits += 1
        energy += particles[i].speed()


for i in range(10):
    particles.append(Particle(i * 1.0, 0.0, 1.0 + i * 0.5, 0.25, 0))
for turn in range(30000):
    step(0.001)
print(sum(p.hits for p in particles), int(energy))
