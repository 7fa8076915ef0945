-- Neovim, headless: attach, wait for diagnostics, ask for hover and definition. Writes what happened to the first
-- line of standard output: `ok`, or what went wrong.
local file = vim.env.SMOKE_FILE
local function fail(text)
  io.stdout:write(text .. "\n")
  vim.cmd("cquit 1")
end

vim.cmd("edit " .. file)
local client = vim.lsp.start_client({
  name = "harn",
  cmd = { vim.env.HARN_BIN, "lsp" },
  root_dir = vim.fn.fnamemodify(file, ":h"),
})
if not client then
  fail("the server did not start")
end
vim.lsp.buf_attach_client(0, client)

local function wait(what, condition)
  if not vim.wait(20000, condition, 20) then
    fail("no " .. what)
  end
end

wait("diagnostics", function()
  return #vim.diagnostic.get(0) > 0
end)
local message = vim.diagnostic.get(0)[1].message
if not message:find("never used") then
  fail("unexpected diagnostic: " .. message)
end

local position = { textDocument = vim.lsp.util.make_text_document_params(), position = { line = 2, character = 9 } }
local function ask(method)
  local answers = vim.lsp.buf_request_sync(0, method, position, 20000)
  for _, answer in pairs(answers or {}) do
    if answer.result then
      return answer.result
    end
  end
  fail("no answer to " .. method)
end

local hover = ask("textDocument/hover")
if not hover.contents.value:find("fn double", 1, true) then
  fail("unexpected hover: " .. hover.contents.value)
end
local definition = ask("textDocument/definition")
if definition.range.start.line ~= 0 then
  fail("unexpected definition")
end

-- An edit makes the finding go.
vim.api.nvim_buf_set_lines(0, 4, 6, false, {})
wait("clean buffer", function()
  return #vim.diagnostic.get(0) == 0
end)
io.stdout:write("ok\n")
vim.cmd("qall!")
