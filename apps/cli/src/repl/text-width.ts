/** Columns a text takes on a terminal: wide East Asian letters and emoji take two, combining marks none. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : NARROW.test(segment) ? 1 : 0
  return width
}

const ASCII = /^[ -~]*$/
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
/** Unicode's East Asian Width is no property of regular expressions; scripts, emoji and the full-width forms come close. */
const WIDE =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\ufe0f/u
const NARROW = /[^\p{M}\p{Cc}\p{Cf}]/u
