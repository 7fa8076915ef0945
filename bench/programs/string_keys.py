def main():
    counts = {}
    x = 1
    for i in range(500000):
        x = (x * 1103515245 + 12345) % 2147483648
        key = f"w{x % 5000}"
        counts[key] = counts.get(key, 0) + 1
    best, most = "", 0
    for k in sorted(counts):
        if counts[k] > most:
            most, best = counts[k], k
    print(f"{best} {most} {len(counts)}")
main()
