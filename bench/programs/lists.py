def sieve(n):
    flags = []
    i = 0
    while i <= n:
        flags.append(True)
        i += 1
    count = 0
    i = 2
    while i <= n:
        if flags[i]:
            count += 1
            j = i * i
            while j <= n:
                flags[j] = False
                j += i
        i += 1
    return count
def grow(n):
    xs = []
    for i in range(1, n + 1):
        xs.append(i * 2)
    s = 0
    for i in range(n):
        s += xs[i]
    return s
print(sieve(1000000))
print(grow(2000000))
