import { crc32, deflateSync } from 'node:zlib'
import type { KernelRecord } from '@llmspell/jupyter'

/**
 * A rounded square in the language's colour with its letters as strokes on a grid of 64; the one drawing that both the SVG
 * and the PNGs are made from.
 */
interface Logo {
  color: readonly [red: number, green: number, blue: number]
  strokes: readonly (readonly (readonly [x: number, y: number])[])[]
}

const J = [
  [24, 18],
  [24, 40],
  [22, 45],
  [17, 46],
  [13, 43],
] as const
const S = [
  [48, 21],
  [44, 18],
  [38, 18],
  [34, 22],
  [35, 27],
  [46, 36],
  [49, 41],
  [46, 45],
  [39, 46],
  [34, 42],
] as const

const LOGOS: Record<KernelRecord['language'], Logo> = {
  lua: {
    color: [38, 50, 140],
    strokes: [
      [
        [24, 16],
        [24, 46],
        [42, 46],
      ],
      // The spark of a spell.
      [
        [44, 14],
        [44, 26],
      ],
      [
        [38, 20],
        [50, 20],
      ],
    ],
  },
  javascript: { color: [176, 120, 0], strokes: [J, S] },
  typescript: {
    color: [32, 96, 160],
    strokes: [
      [
        [12, 18],
        [30, 18],
      ],
      [
        [21, 18],
        [21, 46],
      ],
      S,
    ],
  },
}

const SIZE = 64
const RADIUS = 12
const STROKE = 5

export function logoSvg(language: KernelRecord['language']): string {
  const { color, strokes } = LOGOS[language]
  const path = strokes.map((points) => `M${points.map(([x, y]) => `${x} ${y}`).join('L')}`).join('')
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}">`,
    `<rect width="${SIZE}" height="${SIZE}" rx="${RADIUS}" fill="rgb(${color.join(',')})"/>`,
    `<path d="${path}" fill="none" stroke="#fff" stroke-width="${STROKE}" stroke-linecap="round" stroke-linejoin="round"/>`,
    '</svg>\n',
  ].join('')
}

/** A PNG (RGBA, 8 bits a channel) of `size` pixels square. https://www.w3.org/TR/png-3/ */
export function logoPng(language: KernelRecord['language'], size: number): Buffer {
  const logo = LOGOS[language]
  const rows = Buffer.alloc((1 + size * 4) * size)
  const pixel = SIZE / size
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const rgba = colorAt(logo, (column + 0.5) * pixel, (row + 0.5) * pixel, pixel)
      rows.set(rgba, row * (1 + size * 4) + 1 + column * 4)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  header.set([8, 6, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
}

/** Edges are as soft as a pixel is wide. */
function colorAt({ color, strokes }: Logo, x: number, y: number, pixel: number): [number, number, number, number] {
  const inside = coverage(squareDistance(x, y), pixel)
  const ink = coverage(Math.min(...strokes.map((points) => strokeDistance(points, x, y))) - STROKE / 2, pixel)
  const mix = (channel: number): number => Math.round(channel + (255 - channel) * ink)
  return [mix(color[0]), mix(color[1]), mix(color[2]), Math.round(255 * inside)]
}

function coverage(distance: number, pixel: number): number {
  return Math.min(1, Math.max(0, 0.5 - distance / pixel))
}

/** Distance to the rounded square's edge, negative inside. */
function squareDistance(x: number, y: number): number {
  const half = SIZE / 2
  const dx = Math.abs(x - half) - (half - RADIUS)
  const dy = Math.abs(y - half) - (half - RADIUS)
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - RADIUS
}

function strokeDistance(points: readonly (readonly [number, number])[], x: number, y: number): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 1; i < points.length; i++) {
    const [ax, ay] = points[i - 1] as readonly [number, number]
    const [bx, by] = points[i] as readonly [number, number]
    const along = Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)))
    best = Math.min(best, Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))
  }
  return best
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(body.length + 8)
  frame.writeUInt32BE(data.length, 0)
  body.copy(frame, 4)
  frame.writeUInt32BE(crc32(body), body.length + 4)
  return frame
}
