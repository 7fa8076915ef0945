def place(row, n, columns, up, down):
    if row == n:
        return 1
    ways = 0
    for c in range(n):
        if not columns[c] and not up[row + c] and not down[row - c + n]:
            columns2, up2, down2 = columns[:], up[:], down[:]
            columns2[c] = up2[row + c] = down2[row - c + n] = True
            ways += place(row + 1, n, columns2, up2, down2)
    return ways


def main():
    total = 0
    for turn in range(8):
        total += place(0, 8, [False] * 8, [False] * 16, [False] * 17)
    print(total)


main()
