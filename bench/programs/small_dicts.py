def main():
    t = 0
    for i in range(1, 3000001):
        r = {"a": i, "b": i + 1, "c": 2}
        t = (t + r["a"] + r["b"] * r["c"]) % 1000003
    print(t)
main()
