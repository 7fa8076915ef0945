local function main()
  local pieces = {}
  for i = 1, 200000 do
    pieces[#pieces + 1] = "item " .. i .. ", "
  end
  local text = table.concat(pieces)
  local letters, parts, from = 0, {}, 1
  while true do
    local s, e = string.find(text, ", ", from, true)
    if not s then
      parts[#parts + 1] = string.sub(text, from)
      break
    end
    parts[#parts + 1] = string.sub(text, from, s - 1)
    from = e + 1
  end
  for i = 1, #parts do
    local p = parts[i]
    if string.find(p, "99", 1, true) then letters = letters + 1 end
    if string.sub(p, -1) == "7" then letters = letters + #p end
  end
  local upper = string.upper(text)
  print(#text .. " " .. #parts .. " " .. letters .. " " .. (string.find(upper, "ITEM 150000", 1, true) - 1))
end
main()
