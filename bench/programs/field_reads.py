def main():
    r = {"a": 1, "b": 2, "c": 3}
    t = 0
    for i in range(5000000):
        t = t + r["a"] + r["b"] + r["c"]
    print(t)
main()
