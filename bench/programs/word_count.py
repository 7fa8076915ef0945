def text():
    words = ["The", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "and", "Runs", "away"]
    out = []
    for i in range(60000):
        out.append(words[(i * i + 3 * i) % 12])
        out.append("\n" if i % 11 == 0 else " ")
    return "".join(out)


def main():
    counts = {}
    for line in text().split("\n"):
        for word in line.split(" "):
            if word != "":
                key = word.lower()
                counts[key] = counts.get(key, 0) + 1
    for word, count in sorted(sorted(counts.items()), key=lambda e: -e[1]):
        print(word, count)


main()
