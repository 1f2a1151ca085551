// Reads what first-spell.lua wrote, and answers it.
interface Note {
  from: string
  runs: number
  words: string[]
}

const note = (await State.get('first-spell.note')) as Note | undefined
if (!note) throw new Error('no note found: run first-spell.lua first')

const answer = `${note.words.join(' ')}, ${note.runs} time${note.runs === 1 ? '' : 's'}`
await State.set('first-spell.answer', answer)
console.log(`Hello from TypeScript. ${note.from} left a note: ${answer}.`)
