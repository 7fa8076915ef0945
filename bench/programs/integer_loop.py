def main():
    t = 0
    for i in range(1, 10000001):
        t = (t + i * 3) % 1000003
    print(t)
main()
