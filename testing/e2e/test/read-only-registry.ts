import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

export interface Registry {
  url: string
  /** Names of the packages it was asked for and has. */
  served: Set<string>
  close(): Promise<void>
}

interface Manifest {
  name: string
  version: string
}

/** A registry that offers the tarballs of a folder, and nothing else. */
export async function serveTarballs(folder: string): Promise<Registry> {
  const packages = new Map<string, { manifest: Manifest; file: string; data: Buffer }>()
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.tgz'))) {
    const data = readFileSync(join(folder, file))
    const manifest = JSON.parse(fileInTarball(gunzipSync(data), 'package/package.json')) as Manifest
    packages.set(manifest.name, { manifest, file, data })
  }
  const byFile = new Map([...packages.values()].map(({ file, data }) => [file, data]))
  const served = new Set<string>()

  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1)
    const tarball = path.startsWith('tarballs/') ? byFile.get(path.slice('tarballs/'.length)) : undefined
    if (tarball) {
      response.end(tarball)
      return
    }
    const found = packages.get(path)
    if (!found) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
      return
    }
    served.add(path)
    const { manifest, file, data } = found
    const dist = {
      tarball: `http://${request.headers.host}/tarballs/${encodeURIComponent(file)}`,
      integrity: `sha512-${createHash('sha512').update(data).digest('base64')}`,
      shasum: createHash('sha1').update(data).digest('hex'),
    }
    const document = {
      name: path,
      'dist-tags': { latest: manifest.version },
      versions: { [manifest.version]: { ...manifest, dist } },
      time: { [manifest.version]: '2026-01-01T00:00:00.000Z' },
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    served,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** The text of one member of a tar archive (ustar: a 512-byte header, then the content padded to 512). */
function fileInTarball(archive: Buffer, wanted: string): string {
  const field = (start: number, end: number): string => archive.toString('latin1', start, end).split('\0', 1)[0] ?? ''
  for (let at = 0; at + 512 <= archive.length; ) {
    const size = Number.parseInt(field(at + 124, at + 136), 8) || 0
    if (field(at, at + 100) === wanted) return archive.toString('utf8', at + 512, at + 512 + size)
    at += 512 + Math.ceil(size / 512) * 512
  }
  throw new Error(`the tarball has no ${wanted}`)
}
