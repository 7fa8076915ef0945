from functools import reduce
def main():
    xs = list(range(1, 1001))
    total = 0
    for round in range(1, 1501):
        ys = list(map(lambda x: x * 2 + round, xs))
        zs = list(filter(lambda y: y % 3 == 0, ys))
        total = (total + reduce(lambda acc, z: acc + z, zs, 0)) % 1000000007
    print(total)
main()
