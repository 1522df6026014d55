// A session with basic-ftp: plain|explicit|implicit HOST PORT. Whatever is not as it must be is an assertion that fails.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const { Client, FTPError } = require("basic-ftp");

const [mode, host, port] = process.argv.slice(2);
const { USER_NAME: user, PASSWORD: password, CERTIFICATE: certificate } = process.env;
const files = ["big", "block", "empty", "one"];

async function connected(secret) {
    const client = new Client(60_000);
    const secure = { plain: false, explicit: true, implicit: "implicit" }[mode];
    // The certificate names localhost; the server is reached by its address.
    const secureOptions = { ca: fs.readFileSync(certificate), checkServerIdentity: () => undefined };
    try {
        await client.access({ host, port: Number(port), user, password: secret, secure, secureOptions });
    } catch (error) {
        client.close(); // else it stays until the server has waited long enough for a login
        throw error;
    }
    return client;
}

function refused(code, promise) {
    return assert.rejects(promise, (error) => error instanceof FTPError && error.code === code);
}

async function session() {
    await refused(530, connected("wrong"));
    const client = await connected(password);
    assert.equal(await client.pwd(), "/");
    assert.ok((await client.features()).has("MLST"));

    const listed = await client.list("there");
    assert.deepEqual(listed.map(({ name }) => name).sort(), files);
    for (const { name, size, isFile } of listed) {
        assert.equal(size, fs.statSync(`here/${name}`).size);
        assert.ok(isFile);
    }

    await client.uploadFromDir("here", "up");
    await client.downloadToDir("got", "up");
    for (const name of files) {
        await client.uploadFrom(`here/${name}`, `single-${name}`);
        await client.downloadTo(`single-${name}`, `single-${name}`);
        assert.ok(fs.readFileSync(`single-${name}`).equals(fs.readFileSync(`here/${name}`)));
        await client.downloadTo(`from-${name}`, `there/${name}`);
        assert.ok(fs.readFileSync(`from-${name}`).equals(fs.readFileSync(`here/${name}`)));
    }

    await client.uploadFrom("here/block", "appended");
    await client.appendFrom("here/block", "appended");
    fs.writeFileSync("part", fs.readFileSync("here/big").subarray(0, 1_000_001));
    await client.downloadTo("part", "there/big", 1_000_001);

    await client.ensureDir("a/b/c");
    assert.equal(await client.pwd(), "/a/b/c");
    await client.cd("/");
    await client.rename("single-one", "a/b/moved");
    assert.equal(await client.size("a/b/moved"), 1);
    assert.ok(Math.abs((await client.lastMod("a/b/moved")) - Date.now()) < 3_600_000);
    await client.removeDir("a");
    await client.removeDir("there");
    await refused(550, client.cd("a"));
    await refused(550, client.remove("missing"));
    await refused(550, client.downloadTo("missing", "missing"));
    client.close();
}

session();
