def main():
    text = ""
    for i in range(1, 200001):
        text += f"item {i}, "
    letters = 0
    parts = text.split(", ")
    for p in parts:
        if "99" in p:
            letters += 1
        if p.endswith("7"):
            letters += len(p)
    upper = text.upper()
    print(f"{len(text)} {len(parts)} {letters} {upper.index('ITEM 150000')}")
main()
