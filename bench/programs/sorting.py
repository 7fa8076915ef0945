def main():
    xs = []
    x = 42
    for i in range(300000):
        x = (x * 1103515245 + 12345) % 2147483648
        xs.append(x)
    s = sorted(xs)
    by_key = sorted([{"v": v, "k": v % 1000} for v in xs], key=lambda r: r["k"])
    check = 0
    for i in range(300000):
        check = (check * 31 + s[i] + by_key[i]["k"]) % 1000000007
    print(check)
main()
