/** The folder that the demo syncs, as it is at the beginning. */
export const files: Readonly<Record<string, string>> = {
  'index.html': '<h1>Hello from a folder</h1>\n',
  'style.css': 'h1 { font-family: sans-serif }\n',
}

/** A Deployment of one pod that serves what its folder `app` holds, and ends when it is asked for /crash. */
export const manifest = `# A web server in one file: it serves the folder app/ of its container.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: hello
spec:
  replicas: 1 # one is enough for a demo
  selector:
    matchLabels:
      app: hello
  template:
    metadata:
      labels:
        app: hello
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: node:22-alpine
          env:
            - name: HOST
              valueFrom:
                fieldRef:
                  fieldPath: status.podIP
          command:
            - node
            - -e
            - |
              const { createServer } = require('node:http')
              const { readFile } = require('node:fs')
              createServer((request, response) => {
                if (request.url === '/crash') process.exit(1)
                readFile('app/index.html', (error, page) => {
                  response.writeHead(error ? 404 : 200, { 'content-type': 'text/html' })
                  response.end(error ? 'there is nothing in app/\\n' : page)
                })
              }).listen(8080, process.env.HOST)
`

export const port = 8080
