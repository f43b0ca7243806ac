// Loaded by every Node.js of a sandbox with network, before the program, so that fetch, http and https go through the proxy.
// Versions that heed NODE_USE_ENV_PROXY (22.21, 24.5 and later) do that themselves for what has no agent of the program's;
// the rest is done here, from version 18 on: agents that a program makes, requests for https that older versions of axios
// send to a proxy as they are, and in older versions all. Even older ones must be able to read it.
'use strict'
const env = process.env

const emit = process.emit
process.emit = function (event, warning) {
  return event === 'warning' && warning && warning.code === 'UNDICI-EHPA' ? false : emit.apply(this, arguments)
}

const version = process.versions.node.split('.').map(Number)
const heeded = version[0] > 24 || (version[0] === 24 && version[1] >= 5) || (version[0] === 22 && version[1] >= 21)
if (version[0] >= 18 && env.NODE_USE_ENV_PROXY === '1') install()

function install () {
  const http = require('http')
  const passed = String(env.no_proxy || env.NO_PROXY || '').toLowerCase().split(/[\s,]+/).filter(Boolean)

  function proxyFor (secure, host) {
    host = host.toLowerCase().replace(/^\[|\]$/g, '')
    for (const name of passed) {
      if (name === '*' || host === name || host.endsWith(name[0] === '.' ? name : '.' + name)) return null
    }
    const value = secure ? env.https_proxy || env.HTTPS_PROXY : env.http_proxy || env.HTTP_PROXY
    if (!value) return null
    const url = new URL(value)
    if (url.protocol !== 'http:') throw new Error('a proxy that is none of http: ' + url.protocol)
    return url
  }

  // tunnel asks the proxy for a connection and gives its socket.
  function tunnel (proxy, host, port, done) {
    const to = (host.includes(':') && host[0] !== '[' ? '[' + host + ']' : host) + ':' + port
    const headers = { Host: to }
    if (proxy.username) {
      const user = decodeURIComponent(proxy.username) + ':' + decodeURIComponent(proxy.password)
      headers['Proxy-Authorization'] = 'Basic ' + Buffer.from(user).toString('base64')
    }
    const req = http.request({ method: 'CONNECT', host: proxy.hostname, port: proxy.port || 80, path: to, headers, agent: false })
    req.on('error', done)
    req.on('connect', (res, socket, head) => {
      if (res.statusCode === 200) {
        if (head.length) socket.unshift(head)
        return done(null, socket)
      }
      // The reason is in the answer's text.
      let text = head.toString()
      socket.on('data', b => { if (text.length < 4096) text += b })
      socket.on('error', () => {})
      socket.on('close', () => {
        const err = new Error(to + ': ' + (text.trim() || 'the proxy answers ' + res.statusCode))
        err.code = 'EACCES'
        done(err)
      })
    })
    req.end()
  }

  // route makes connections of an agent's class go through the proxy. Classes with connections of their own keep them.
  function route (agent, secure) {
    const direct = agent.createConnection
    agent.createConnection = function (options, done) {
      const host = options && typeof options === 'object' && !options.socketPath && !options.socket && (options.host || options.hostname)
      const own = heeded && this.options && this.options.proxyEnv // Node does it
      const proxy = host && done && !own && proxyFor(secure, host)
      if (!proxy) return direct.apply(this, arguments)
      tunnel(proxy, host, options.port || (secure ? 443 : 80), (err, socket) => {
        if (err) return done(err)
        done(null, secure ? direct.call(this, Object.assign({}, options, { socket })) : socket)
      })
    }
  }
  route(http.Agent.prototype, false)
  // https costs time to load: whoever asks for it has loaded it.
  const createSocket = http.Agent.prototype.createSocket
  let routed = false
  http.Agent.prototype.createSocket = function () {
    if (!routed && this.defaultPort === 443) {
      routed = true
      route(require('https').Agent.prototype, true)
    }
    return createSocket.apply(this, arguments)
  }

  // What is meant for https, and was sent to the proxy as if it were not.
  const request = http.request
  http.request = function (options, done) {
    const to = misdirected(options)
    return to ? require('https').request(to, done) : request.apply(this, arguments)
  }
  function misdirected (options) {
    if (!options || !/^https:\/\//i.test(options.path)) return null
    const url = new URL(options.path)
    const proxy = proxyFor(true, url.hostname)
    if (!proxy || (options.hostname || options.host) !== proxy.hostname || Number(options.port) !== Number(proxy.port || 80)) return null
    const headers = Object.assign({}, options.headers)
    for (const name of Object.keys(headers)) if (/^proxy-/i.test(name)) delete headers[name]
    return Object.assign({}, options, { protocol: 'https:', hostname: url.hostname, host: url.hostname, port: url.port || 443, path: url.pathname + url.search, headers, agent: undefined, auth: undefined })
  }

  // fetch: its dispatcher stands in a slot of the global object, and is of a class that takes a function to connect with.
  const slot = Symbol.for('undici.globalDispatcher.1')
  let ours
  function connect (options, done) {
    const secure = options.protocol === 'https:'
    const port = Number(options.port) || (secure ? 443 : 80)
    const finish = (err, socket) => {
      if (err) return done(err)
      if (!secure) return done(null, socket)
      const name = options.servername || options.hostname
      const to = Object.assign({ ALPNProtocols: ['http/1.1'] }, options, { socket, path: undefined, servername: require('net').isIP(name) ? '' : name })
      const tls = require('tls').connect(to)
      tls.once('secureConnect', () => { tls.removeListener('error', done); done(null, tls) }).once('error', done)
    }
    const proxy = proxyFor(secure, options.hostname)
    if (proxy) return tunnel(proxy, options.hostname, port, finish)
    const socket = require('net').connect({ host: options.hostname, port })
    socket.once('connect', () => { socket.removeListener('error', finish); finish(null, socket) }).once('error', finish)
  }
  const fetch = globalThis.fetch
  if (heeded || typeof fetch !== 'function') return
  globalThis.fetch = function (input, init) {
    if (!globalThis[slot]) void globalThis.Response // loads the class and fills the slot
    const now = globalThis[slot]
    if (now && now !== ours && now.constructor.name === 'Agent') { // another kind was chosen by the program
      ours = globalThis[slot] = new now.constructor({ connect })
    }
    return fetch.apply(this, arguments)
  }
  Object.defineProperty(globalThis.fetch, 'name', { value: 'fetch' })
}
