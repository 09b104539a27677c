// Live pictures of several cameras over one connection: browsers allow six to a server, and a
// stream each would use them up. The server sends parts, each a JSON line and a JPEG:
//
//   four bytes: length of the line   four bytes: length of the picture   line   picture
//
// lengths are big-endian. What comes is always the newest; a slow connection gets fewer, smaller
// ones.

const HEAD = 8;

export class Pictures {
  // `shown(info, url)` gets each picture's line and an address for an <img>.
  constructor(shown) {
    this.shown = shown;
    this.wanted = "";
    this.controller = null;
    this.urls = new Map();
  }

  // Which cameras, by name, and how many pixels wide they are shown.
  want(names, width) {
    const query = new URLSearchParams(names.map((name) => ["camera", name]));
    query.set("width", String(width));
    const wanted = names.length ? `/api/pictures?${query}` : "";
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    this.controller?.abort();
    this.controller = null;
    if (wanted) this.read(wanted);
  }

  async read(address) {
    const controller = new AbortController();
    this.controller = controller;
    while (this.controller === controller) {
      try {
        const answer = await fetch(address, { signal: controller.signal });
        if (answer.ok) await this.parts(answer.body.getReader(), controller);
      } catch {
        // Aborted, or the server has gone: below it is tried again.
      }
      if (this.controller === controller) await new Promise((done) => setTimeout(done, 1500));
    }
  }

  async parts(reader, controller) {
    let data = new Uint8Array(0);
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.controller !== controller) return;
      data = joined(data, value);
      for (;;) {
        if (data.length < HEAD) break;
        const view = new DataView(data.buffer, data.byteOffset, HEAD);
        const line = view.getUint32(0);
        const end = HEAD + line + view.getUint32(4);
        if (data.length < end) break;
        const info = JSON.parse(new TextDecoder().decode(data.subarray(HEAD, HEAD + line)));
        this.take(info, data.slice(HEAD + line, end));
        data = data.subarray(end);
      }
    }
  }

  take(info, jpeg) {
    const old = this.urls.get(info.camera);
    const url = URL.createObjectURL(new Blob([jpeg], { type: "image/jpeg" }));
    this.urls.set(info.camera, url);
    this.shown(info, url);
    // The one before may still be decoded.
    if (old) setTimeout(() => URL.revokeObjectURL(old), 1000);
  }
}

function joined(first, second) {
  if (first.length === 0) return second;
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
