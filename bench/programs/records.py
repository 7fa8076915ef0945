def main():
    bodies = []
    for i in range(1, 6):
        bodies.append({"x": i * 1.0, "y": i * 0.5, "vx": 0.0, "vy": 0.1, "mass": i * 0.25})
    for step in range(200000):
        for k in range(5):
            b = bodies[k]
            b["vx"] = b["vx"] - b["x"] * b["mass"] * 0.001
            b["vy"] = b["vy"] - b["y"] * b["mass"] * 0.001
            b["x"] = b["x"] + b["vx"] * 0.01
            b["y"] = b["y"] + b["vy"] * 0.01
            bodies[k] = b
    s = 0.0
    for b in bodies:
        s = s + b["x"] * b["x"] + b["y"] * b["y"]
    print(int(s * 1000000.0))
main()
