-- Plays a scenario in Neovim with nvim-dap.
--   NVIM_DAP=FOLDER SCENARIO=FILE nvim --headless -u NONE -n -c 'luafile nvim-dap.lua'
-- Prints `REPORT {…}`: what a person would have seen on the screen at each stop, for the test to judge.

local WAIT_MS = 20000

local function read_scenario()
  return vim.fn.json_decode(table.concat(vim.fn.readfile(vim.env.SCENARIO), '\n'))
end

--- Lets Neovim work until check() is true; the error says what was waited for.
local function await(what, check)
  if not vim.wait(WAIT_MS, check, 20) then error('waited ' .. WAIT_MS .. ' ms in vain: ' .. what, 0) end
end

--- The line that the sign of the current position is on.
local function sign_line(buffer)
  for _, placed in ipairs(vim.fn.sign_getplaced(buffer, { group = '*' })[1].signs) do
    if placed.name == 'DapStopped' then return placed.lnum end
  end
end

--- Opens the list of scopes and waits for each variable; true, or the lines that were there instead.
local function look_at_scopes(dap_widgets, wanted)
  local seen = {}
  if next(wanted) == nil then return vim.empty_dict() end
  local code_window = vim.api.nvim_get_current_win()
  local view = dap_widgets.sidebar(dap_widgets.scopes)
  view.open()
  for name, value in pairs(wanted) do
    local lines = {}
    local function shown()
      lines = vim.api.nvim_buf_get_lines(view.buf, 0, -1, false)
      for _, line in ipairs(lines) do
        local bare = line:gsub('^%W*', '')
        if bare == name .. ' = ' .. value or bare == name .. ': ' .. value or bare:match('^' .. vim.pesc(name) .. '%s.*=%s' .. vim.pesc(value) .. '$') then
          return true
        end
      end
      return false
    end
    seen[name] = vim.wait(WAIT_MS, shown, 50) or table.concat(lines, '\n')
  end
  view.close()
  vim.api.nvim_set_current_win(code_window)
  return seen
end

--- Asks as the REPL does; true, or the answer that came instead.
local function evaluate_all(session, wanted)
  local seen = vim.empty_dict()
  for expression, begins in pairs(wanted) do
    local answer
    session:request('evaluate', { expression = expression, context = 'repl', frameId = session.current_frame.id }, function(failure, response)
      answer = failure and (failure.message or vim.inspect(failure)) or response.result
    end)
    await('the answer to ' .. expression, function() return answer ~= nil end)
    seen[expression] = vim.startswith(answer, begins) or answer
  end
  return seen
end

local function play(report)
  local scenario = read_scenario()
  vim.opt.runtimepath:append(vim.env.NVIM_DAP)
  local dap = require('dap')
  local widgets = require('dap.ui.widgets')
  local configuration = scenario.configuration
  configuration.name = 'scenario'
  dap.adapters[configuration.type] = {
    type = 'executable',
    command = scenario.adapter[1],
    args = vim.list_slice(scenario.adapter, 2),
  }

  vim.cmd('edit ' .. vim.fn.fnameescape(scenario.source))
  local code = vim.api.nvim_get_current_win()
  local buffer = vim.api.nvim_get_current_buf()
  for _, breakpoint in ipairs(scenario.breakpoints) do
    vim.api.nvim_win_set_cursor(code, { breakpoint.line, 0 })
    dap.set_breakpoint(breakpoint.condition, breakpoint.hitCondition, breakpoint.logMessage)
  end

  local events = {}
  dap.listeners.after.event_stopped.scenario = function(_, body) table.insert(events, body) end
  dap.listeners.after.event_output.scenario = function(_, body) report.output = report.output .. (body.output or '') end
  dap.listeners.after.event_terminated.scenario = function() report.ended = true end
  dap.run(configuration)

  local acts = { next = dap.step_over, stepIn = dap.step_into, stepOut = dap.step_out, continue = dap.continue }
  for number, stop in ipairs(scenario.stops) do
    await('stop ' .. number .. ' at line ' .. stop.line, function()
      local session = dap.session()
      return #events >= number and session and session.current_frame and session.current_frame.scopes and sign_line(buffer) == stop.line
    end)
    local session = dap.session()
    table.insert(report.stops, {
      line = sign_line(buffer),
      reason = events[number].reason,
      ['function'] = session.current_frame.name,
      variables = look_at_scopes(widgets, stop.variables or {}),
      evaluate = evaluate_all(session, stop.evaluate or {}),
    })
    if stop.go == 'disconnect' then
      local gone = false
      dap.disconnect({ terminateDebuggee = false }, function() gone = true end)
      await('the session is closed', function() return gone or dap.session() == nil end)
      report.ended = true
    else
      acts[stop.go]()
    end
  end
  await('the session ends', function() return report.ended end)
end

local report = { stops = {}, output = '', ended = false, failure = vim.NIL }
vim.schedule(function()
  vim.o.swapfile = false
  local ok, failure = pcall(play, report)
  if not ok then report.failure = tostring(failure) end
  io.stdout:write('\nREPORT ' .. vim.fn.json_encode(report) .. '\n')
  io.stdout:flush()
  vim.cmd('qall!')
end)
