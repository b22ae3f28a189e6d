// Unpacks the brotli files of the browser's package into a folder.
import { createReadStream, createWriteStream, mkdirSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const [into] = process.argv.slice(2);
const from = new URL("node_modules/@sparticuz/chromium/bin/", import.meta.url);
mkdirSync(into, { recursive: true });
for (const name of ["chromium", "al2023.tar", "swiftshader.tar", "fonts.tar"]) {
  await pipeline(
    createReadStream(new URL(`${name}.br`, from)),
    createBrotliDecompress(),
    createWriteStream(`${into}/${name}`),
  );
}
