def main():
    known, best, longest = {}, 0, 0
    for start in range(1, 60001):
        n, steps = start, 0
        while n != 1:
            seen = known.get(str(n)) if n < start else None
            if seen is not None:
                steps += seen
                n = 1
            else:
                n = n // 2 if n % 2 == 0 else 3 * n + 1
                steps += 1
        known[str(start)] = steps
        if steps > longest:
            longest, best = steps, start
    print(best, longest, len(known))


main()
