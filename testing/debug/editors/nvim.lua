-- Plays a scenario in Neovim without a plugin: its own pipes, JSON and signs.
--   SCENARIO=FILE nvim --headless -u NONE -n -c 'luafile nvim.lua'
-- Prints `REPORT {…}` as nvim-dap.lua does. It does what a plugin does: signs in the buffer, the cursor where the script stands.

local WAIT_MS = 20000

local function await(what, check)
  if not vim.wait(WAIT_MS, check, 10) then error('waited ' .. WAIT_MS .. ' ms in vain: ' .. what, 0) end
end

--- A field that is null is there for Lua, and `if field then` takes it: no message may have one.
local function has_null(value)
  if value == vim.NIL then return true end
  if type(value) ~= 'table' then return false end
  for _, inner in pairs(value) do
    if has_null(inner) then return true end
  end
  return false
end

local Client = {}
Client.__index = Client

function Client.start(command)
  local self = setmetatable({ seq = 0, answers = {}, events = {}, bytes = '', closed = false }, Client)
  local input, output = vim.loop.new_pipe(false), vim.loop.new_pipe(false)
  self.input = input
  self.handle = vim.loop.spawn(command[1], { args = vim.list_slice(command, 2), stdio = { input, output, 2 } }, function() self.closed = true end)
  output:read_start(function(failure, chunk)
    if failure or not chunk then return end
    self.bytes = self.bytes .. chunk
    self:read()
  end)
  return self
end

function Client:read()
  while true do
    local head, body = self.bytes:match('^(.-)\r\n\r\n()')
    local length = head and tonumber(head:match('Content%-Length: (%d+)'))
    if not length or #self.bytes < body + length - 1 then return end
    local message = vim.json.decode(self.bytes:sub(body, body + length - 1))
    self.bytes = self.bytes:sub(body + length)
    if has_null(message) then self.null = message.event or message.command end
    if message.type == 'response' then
      self.answers[message.request_seq] = message
    else
      table.insert(self.events, message)
    end
  end
end

function Client:send(command, arguments)
  self.seq = self.seq + 1
  local text = vim.json.encode({ seq = self.seq, type = 'request', command = command, arguments = arguments })
  self.input:write('Content-Length: ' .. #text .. '\r\n\r\n' .. text)
  return self.seq
end

function Client:answer(seq, command)
  await('the answer to ' .. command, function() return self.answers[seq] ~= nil end)
  return self.answers[seq]
end

function Client:ask(command, arguments)
  local answer = self:answer(self:send(command, arguments), command)
  if not answer.success then error(command .. ': ' .. tostring(answer.message), 0) end
  return answer.body or {}
end

function Client:of(event)
  return vim.tbl_filter(function(message) return message.event == event end, self.events)
end

local function begin(client, scenario)
  client:ask('initialize', { clientID = 'neovim', adapterID = 'llmspell', linesStartAt1 = true, columnsStartAt1 = true, pathFormat = 'path', supportsVariableType = true })
  local request = scenario.configuration.request
  local started = client:send(request, scenario.configuration)
  await('initialized', function() return #client:of('initialized') > 0 or client.answers[started] ~= nil end)
  client:ask('setBreakpoints', { source = { path = scenario.source }, breakpoints = scenario.breakpoints })
  client:ask('configurationDone')
  if not client:answer(started, request).success then error(client.answers[started].message, 0) end
end

--- The frame on top; the cursor goes there, with a sign in its line.
local function show(client, thread)
  local frame = client:ask('stackTrace', { threadId = thread }).stackFrames[1]
  vim.fn.sign_unplace('stopped')
  vim.cmd('edit ' .. vim.fn.fnameescape(frame.source.path))
  vim.fn.sign_place(0, 'stopped', 'Stopped', vim.fn.bufnr(), { lnum = frame.line })
  vim.api.nvim_win_set_cursor(0, { frame.line, math.max(0, frame.column - 1) })
  return frame, vim.fn.sign_getplaced(vim.fn.bufnr(), { group = 'stopped' })[1].signs[1].lnum
end

local function variables(client, frame, wanted)
  local seen, all = vim.empty_dict(), {}
  for _, scope in ipairs(client:ask('scopes', { frameId = frame.id }).scopes) do
    if not scope.expensive then
      for _, variable in ipairs(client:ask('variables', { variablesReference = scope.variablesReference }).variables) do
        all[variable.name] = all[variable.name] or variable.value
      end
    end
  end
  for name, value in pairs(wanted) do
    seen[name] = all[name] == value or vim.inspect(all)
  end
  return seen
end

local function evaluate(client, frame, wanted)
  local seen = vim.empty_dict()
  for expression, begins in pairs(wanted) do
    local answer = client:answer(client:send('evaluate', { expression = expression, frameId = frame.id, context = 'repl' }), 'evaluate')
    local text = answer.success and answer.body.result or answer.message
    seen[expression] = vim.startswith(text, begins) or text
  end
  return seen
end

local function play(report)
  local scenario = vim.fn.json_decode(table.concat(vim.fn.readfile(vim.env.SCENARIO), '\n'))
  vim.fn.sign_define('Stopped', { text = '>' })
  vim.cmd('edit ' .. vim.fn.fnameescape(scenario.source))
  local client = Client.start(scenario.adapter)
  begin(client, scenario)
  for number, stop in ipairs(scenario.stops) do
    await('stop ' .. number, function() return #client:of('stopped') >= number end)
    local event = client:of('stopped')[number].body
    local frame, line = show(client, event.threadId)
    table.insert(report.stops, {
      line = line,
      reason = event.reason,
      ['function'] = frame.name,
      variables = variables(client, frame, stop.variables or {}),
      evaluate = evaluate(client, frame, stop.evaluate or {}),
    })
    if stop.go ~= 'disconnect' then client:ask(stop.go, { threadId = event.threadId }) end
  end
  if scenario.stops[#scenario.stops].go ~= 'disconnect' then await('the session ends', function() return #client:of('terminated') > 0 end) end
  for _, output in ipairs(client:of('output')) do
    report.output = report.output .. output.body.output
  end
  client:ask('disconnect')
  client.input:shutdown()
  await('the adapter ends', function() return client.closed end)
  if client.null then error('a field of ' .. client.null .. ' is null', 0) end
  report.ended = true
end

local report = { stops = {}, output = '', ended = false, failure = vim.NIL }
vim.schedule(function()
  local ok, failure = pcall(play, report)
  if not ok then report.failure = tostring(failure) end
  io.stdout:write('\nREPORT ' .. vim.fn.json_encode(report) .. '\n')
  io.stdout:flush()
  vim.cmd('qall!')
end)
