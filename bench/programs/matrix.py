def filled(n, seed):
    return [[(i * seed + j) % 10 * 1.0 for j in range(n)] for i in range(n)]


def product(a, b, n):
    out = []
    for i in range(n):
        row = []
        for j in range(n):
            total = 0.0
            for k in range(n):
                total += a[i][k] * b[k][j]
            row.append(total)
        out.append(row)
    return out


def main():
    c = product(filled(120, 3), filled(120, 7), 120)
    print(int(sum(c[i][i] for i in range(120))))


main()
