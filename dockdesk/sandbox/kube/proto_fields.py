"""The fields of Kubernetes' protobuf messages: numbers, names and types, one message a line.

A type is s (string), i (integer), b (boolean), y (bytes), d (double), T (Time), D (Duration), q (Quantity), o
(IntOrString), r (raw JSON) or another message; * before it is a list, % a map from strings. Statuses are left out, which
clients may not set. Source: the generated.proto files of kubernetes/api and kubernetes/apimachinery (Apache-2.0).
"""

from __future__ import annotations

# fmt: off
FIELDS = """\
apps.DaemonSet metadata:1:meta.ObjectMeta spec:2:apps.DaemonSetSpec
apps.DaemonSetSpec selector:1:meta.LabelSelector template:2:core.PodTemplateSpec updateStrategy:3:apps.DaemonSetUpdateStrategy minReadySeconds:4:i revisionHistoryLimit:6:i
apps.DaemonSetUpdateStrategy type:1:s rollingUpdate:2:apps.RollingUpdateDaemonSet
apps.Deployment metadata:1:meta.ObjectMeta spec:2:apps.DeploymentSpec
apps.DeploymentSpec replicas:1:i selector:2:meta.LabelSelector template:3:core.PodTemplateSpec strategy:4:apps.DeploymentStrategy minReadySeconds:5:i revisionHistoryLimit:6:i paused:7:b progressDeadlineSeconds:9:i
apps.DeploymentStrategy type:1:s rollingUpdate:2:apps.RollingUpdateDeployment
apps.ReplicaSet metadata:1:meta.ObjectMeta spec:2:apps.ReplicaSetSpec
apps.ReplicaSetSpec replicas:1:i minReadySeconds:4:i selector:2:meta.LabelSelector template:3:core.PodTemplateSpec
apps.RollingUpdateDaemonSet maxUnavailable:1:o maxSurge:2:o
apps.RollingUpdateDeployment maxUnavailable:1:o maxSurge:2:o
apps.RollingUpdateStatefulSetStrategy partition:1:i maxUnavailable:2:o
apps.StatefulSet metadata:1:meta.ObjectMeta spec:2:apps.StatefulSetSpec
apps.StatefulSetOrdinals start:1:i
apps.StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted:1:s whenScaled:2:s
apps.StatefulSetSpec replicas:1:i selector:2:meta.LabelSelector template:3:core.PodTemplateSpec volumeClaimTemplates:4:*core.PersistentVolumeClaim serviceName:5:s podManagementPolicy:6:s updateStrategy:7:apps.StatefulSetUpdateStrategy revisionHistoryLimit:8:i minReadySeconds:9:i persistentVolumeClaimRetentionPolicy:10:apps.StatefulSetPersistentVolumeClaimRetentionPolicy ordinals:11:apps.StatefulSetOrdinals
apps.StatefulSetUpdateStrategy type:1:s rollingUpdate:2:apps.RollingUpdateStatefulSetStrategy
authentication.SelfSubjectReview metadata:1:meta.ObjectMeta
authorization.FieldSelectorAttributes rawSelector:1:s requirements:2:*meta.FieldSelectorRequirement
authorization.LabelSelectorAttributes rawSelector:1:s requirements:2:*meta.LabelSelectorRequirement
authorization.NonResourceAttributes path:1:s verb:2:s
authorization.ResourceAttributes namespace:1:s verb:2:s group:3:s version:4:s resource:5:s subresource:6:s name:7:s fieldSelector:8:authorization.FieldSelectorAttributes labelSelector:9:authorization.LabelSelectorAttributes
authorization.SelfSubjectAccessReview metadata:1:meta.ObjectMeta spec:2:authorization.SelfSubjectAccessReviewSpec
authorization.SelfSubjectAccessReviewSpec resourceAttributes:1:authorization.ResourceAttributes nonResourceAttributes:2:authorization.NonResourceAttributes
authorization.SelfSubjectRulesReview metadata:1:meta.ObjectMeta spec:2:authorization.SelfSubjectRulesReviewSpec
authorization.SelfSubjectRulesReviewSpec namespace:1:s
autoscaling.CrossVersionObjectReference kind:1:s name:2:s apiVersion:3:s
autoscaling.HorizontalPodAutoscaler metadata:1:meta.ObjectMeta spec:2:autoscaling.HorizontalPodAutoscalerSpec
autoscaling.HorizontalPodAutoscalerSpec scaleTargetRef:1:autoscaling.CrossVersionObjectReference minReplicas:2:i maxReplicas:3:i targetCPUUtilizationPercentage:4:i
autoscaling.Scale metadata:1:meta.ObjectMeta spec:2:autoscaling.ScaleSpec
autoscaling.ScaleSpec replicas:1:i
autoscaling2.ContainerResourceMetricSource name:1:s target:2:autoscaling2.MetricTarget container:3:s
autoscaling2.CrossVersionObjectReference kind:1:s name:2:s apiVersion:3:s
autoscaling2.ExternalMetricSource metric:1:autoscaling2.MetricIdentifier target:2:autoscaling2.MetricTarget
autoscaling2.HPAScalingPolicy type:1:s value:2:i periodSeconds:3:i
autoscaling2.HPAScalingRules stabilizationWindowSeconds:3:i selectPolicy:1:s policies:2:*autoscaling2.HPAScalingPolicy tolerance:4:q
autoscaling2.HorizontalPodAutoscaler metadata:1:meta.ObjectMeta spec:2:autoscaling2.HorizontalPodAutoscalerSpec
autoscaling2.HorizontalPodAutoscalerBehavior scaleUp:1:autoscaling2.HPAScalingRules scaleDown:2:autoscaling2.HPAScalingRules
autoscaling2.HorizontalPodAutoscalerSpec scaleTargetRef:1:autoscaling2.CrossVersionObjectReference minReplicas:2:i maxReplicas:3:i metrics:4:*autoscaling2.MetricSpec behavior:5:autoscaling2.HorizontalPodAutoscalerBehavior
autoscaling2.MetricIdentifier name:1:s selector:2:meta.LabelSelector
autoscaling2.MetricSpec type:1:s object:2:autoscaling2.ObjectMetricSource pods:3:autoscaling2.PodsMetricSource resource:4:autoscaling2.ResourceMetricSource containerResource:7:autoscaling2.ContainerResourceMetricSource external:5:autoscaling2.ExternalMetricSource
autoscaling2.MetricTarget type:1:s value:2:q averageValue:3:q averageUtilization:4:i
autoscaling2.ObjectMetricSource describedObject:1:autoscaling2.CrossVersionObjectReference target:2:autoscaling2.MetricTarget metric:3:autoscaling2.MetricIdentifier
autoscaling2.PodsMetricSource metric:1:autoscaling2.MetricIdentifier target:2:autoscaling2.MetricTarget
autoscaling2.ResourceMetricSource name:1:s target:2:autoscaling2.MetricTarget
batch.CronJob metadata:1:meta.ObjectMeta spec:2:batch.CronJobSpec
batch.CronJobSpec schedule:1:s timeZone:8:s startingDeadlineSeconds:2:i concurrencyPolicy:3:s suspend:4:b jobTemplate:5:batch.JobTemplateSpec successfulJobsHistoryLimit:6:i failedJobsHistoryLimit:7:i
batch.Job metadata:1:meta.ObjectMeta spec:2:batch.JobSpec
batch.JobSchedulingConfiguration
batch.JobSpec parallelism:1:i completions:2:i activeDeadlineSeconds:3:i podFailurePolicy:11:batch.PodFailurePolicy successPolicy:16:batch.SuccessPolicy backoffLimit:7:i backoffLimitPerIndex:12:i maxFailedIndexes:13:i selector:4:meta.LabelSelector manualSelector:5:b template:6:core.PodTemplateSpec ttlSecondsAfterFinished:8:i completionMode:9:s suspend:10:b podReplacementPolicy:14:s managedBy:15:s scheduling:17:batch.JobSchedulingConfiguration
batch.JobTemplateSpec metadata:1:meta.ObjectMeta spec:2:batch.JobSpec
batch.PodFailurePolicy rules:1:*batch.PodFailurePolicyRule
batch.PodFailurePolicyOnExitCodesRequirement containerName:1:s operator:2:s values:3:*i
batch.PodFailurePolicyOnPodConditionsPattern type:1:s
batch.PodFailurePolicyRule action:1:s onExitCodes:2:batch.PodFailurePolicyOnExitCodesRequirement onPodConditions:3:*batch.PodFailurePolicyOnPodConditionsPattern
batch.SuccessPolicy rules:1:*batch.SuccessPolicyRule
batch.SuccessPolicyRule succeededIndexes:1:s succeededCount:2:i
core.AWSElasticBlockStoreVolumeSource volumeID:1:s fsType:2:s partition:3:i readOnly:4:b
core.Affinity nodeAffinity:1:core.NodeAffinity podAffinity:2:core.PodAffinity podAntiAffinity:3:core.PodAntiAffinity
core.AppArmorProfile type:1:s localhostProfile:2:s
core.AzureDiskVolumeSource diskName:1:s diskURI:2:s cachingMode:3:s fsType:4:s readOnly:5:b kind:6:s
core.AzureFileVolumeSource secretName:1:s shareName:2:s readOnly:3:b
core.CSIVolumeSource driver:1:s readOnly:2:b fsType:3:s volumeAttributes:4:%s nodePublishSecretRef:5:core.LocalObjectReference
core.Capabilities add:1:*s drop:2:*s
core.CephFSVolumeSource monitors:1:*s path:2:s user:3:s secretFile:4:s secretRef:5:core.LocalObjectReference readOnly:6:b
core.CinderVolumeSource volumeID:1:s fsType:2:s readOnly:3:b secretRef:4:core.LocalObjectReference
core.ClientIPConfig timeoutSeconds:1:i
core.ClusterTrustBundleProjection name:1:s signerName:2:s labelSelector:3:meta.LabelSelector optional:5:b path:4:s user:6:i
core.ConfigMap metadata:1:meta.ObjectMeta immutable:4:b data:2:%s binaryData:3:%y
core.ConfigMapEnvSource localObjectReference:1:core.LocalObjectReference optional:2:b
core.ConfigMapKeySelector localObjectReference:1:core.LocalObjectReference key:2:s optional:3:b
core.ConfigMapNodeConfigSource namespace:1:s name:2:s uid:3:s resourceVersion:4:s kubeletConfigKey:5:s
core.ConfigMapProjection localObjectReference:1:core.LocalObjectReference items:2:*core.KeyToPath optional:4:b
core.ConfigMapVolumeSource localObjectReference:1:core.LocalObjectReference items:2:*core.KeyToPath defaultMode:3:i optional:4:b defaultUser:5:i
core.Container name:1:s image:2:s command:3:*s args:4:*s workingDir:5:s ports:6:*core.ContainerPort envFrom:19:*core.EnvFromSource env:7:*core.EnvVar resources:8:core.ResourceRequirements resizePolicy:23:*core.ContainerResizePolicy restartPolicy:24:s restartPolicyRules:25:*core.ContainerRestartRule volumeMounts:9:*core.VolumeMount volumeDevices:21:*core.VolumeDevice livenessProbe:10:core.Probe readinessProbe:11:core.Probe startupProbe:22:core.Probe lifecycle:12:core.Lifecycle terminationMessagePath:13:s terminationMessagePolicy:20:s imagePullPolicy:14:s securityContext:15:core.SecurityContext stdin:16:b stdinOnce:17:b tty:18:b
core.ContainerPort name:1:s hostPort:2:i containerPort:3:i protocol:4:s hostIP:5:s
core.ContainerResizePolicy resourceName:1:s restartPolicy:2:s
core.ContainerRestartRule action:1:s exitCodes:2:core.ContainerRestartRuleOnExitCodes
core.ContainerRestartRuleOnExitCodes operator:1:s values:2:*i
core.DownwardAPIProjection items:1:*core.DownwardAPIVolumeFile
core.DownwardAPIVolumeFile path:1:s fieldRef:2:core.ObjectFieldSelector resourceFieldRef:3:core.ResourceFieldSelector mode:4:i user:5:i
core.DownwardAPIVolumeSource items:1:*core.DownwardAPIVolumeFile defaultMode:2:i defaultUser:3:i
core.EmptyDirVolumeSource medium:1:s sizeLimit:2:q mode:3:i
core.EndpointAddress ip:1:s hostname:3:s nodeName:4:s targetRef:2:core.ObjectReference
core.EndpointPort name:1:s port:2:i protocol:3:s appProtocol:4:s
core.EndpointSubset addresses:1:*core.EndpointAddress notReadyAddresses:2:*core.EndpointAddress ports:3:*core.EndpointPort
core.Endpoints metadata:1:meta.ObjectMeta subsets:2:*core.EndpointSubset
core.EnvFromSource prefix:1:s configMapRef:2:core.ConfigMapEnvSource secretRef:3:core.SecretEnvSource
core.EnvVar name:1:s value:2:s valueFrom:3:core.EnvVarSource
core.EnvVarSource fieldRef:1:core.ObjectFieldSelector resourceFieldRef:2:core.ResourceFieldSelector configMapKeyRef:3:core.ConfigMapKeySelector secretKeyRef:4:core.SecretKeySelector fileKeyRef:5:core.FileKeySelector
core.EphemeralContainer ephemeralContainerCommon:1:core.EphemeralContainerCommon targetContainerName:2:s
core.EphemeralContainerCommon name:1:s image:2:s command:3:*s args:4:*s workingDir:5:s ports:6:*core.ContainerPort envFrom:19:*core.EnvFromSource env:7:*core.EnvVar resources:8:core.ResourceRequirements resizePolicy:23:*core.ContainerResizePolicy restartPolicy:24:s restartPolicyRules:25:*core.ContainerRestartRule volumeMounts:9:*core.VolumeMount volumeDevices:21:*core.VolumeDevice livenessProbe:10:core.Probe readinessProbe:11:core.Probe startupProbe:22:core.Probe lifecycle:12:core.Lifecycle terminationMessagePath:13:s terminationMessagePolicy:20:s imagePullPolicy:14:s securityContext:15:core.SecurityContext stdin:16:b stdinOnce:17:b tty:18:b
core.EphemeralVolumeSource volumeClaimTemplate:1:core.PersistentVolumeClaimTemplate
core.Event metadata:1:meta.ObjectMeta involvedObject:2:core.ObjectReference reason:3:s message:4:s source:5:core.EventSource firstTimestamp:6:T lastTimestamp:7:T count:8:i type:9:s eventTime:10:T series:11:core.EventSeries action:12:s related:13:core.ObjectReference reportingComponent:14:s reportingInstance:15:s
core.EventSeries count:1:i lastObservedTime:2:T
core.EventSource component:1:s host:2:s
core.EvictionResponder name:1:s priority:2:i
core.ExecAction command:1:*s
core.FCVolumeSource targetWWNs:1:*s lun:2:i fsType:3:s readOnly:4:b wwids:5:*s
core.FileKeySelector volumeName:1:s path:2:s key:3:s optional:4:b
core.FlexVolumeSource driver:1:s fsType:2:s secretRef:3:core.LocalObjectReference readOnly:4:b options:5:%s
core.FlockerVolumeSource datasetName:1:s datasetUUID:2:s
core.GCEPersistentDiskVolumeSource pdName:1:s fsType:2:s partition:3:i readOnly:4:b
core.GRPCAction port:1:i service:2:s mode:3:s
core.GitRepoVolumeSource repository:1:s revision:2:s directory:3:s
core.GlusterfsVolumeSource endpoints:1:s path:2:s readOnly:3:b
core.HTTPGetAction path:1:s port:2:o host:3:s scheme:4:s httpHeaders:5:*core.HTTPHeader protocol:6:s
core.HTTPHeader name:1:s value:2:s
core.HostAlias ip:1:s hostnames:2:*s
core.HostPathVolumeSource path:1:s type:2:s
core.ISCSIVolumeSource targetPortal:1:s iqn:2:s lun:3:i iscsiInterface:4:s fsType:5:s readOnly:6:b portals:7:*s chapAuthDiscovery:8:b chapAuthSession:11:b secretRef:10:core.LocalObjectReference initiatorName:12:s
core.ImageVolumeSource reference:1:s pullPolicy:2:s
core.KeyToPath key:1:s path:2:s mode:3:i user:4:i
core.Lifecycle postStart:1:core.LifecycleHandler preStop:2:core.LifecycleHandler stopSignal:3:s
core.LifecycleHandler exec:1:core.ExecAction httpGet:2:core.HTTPGetAction tcpSocket:3:core.TCPSocketAction sleep:4:core.SleepAction
core.LimitRange metadata:1:meta.ObjectMeta spec:2:core.LimitRangeSpec
core.LimitRangeItem type:1:s max:2:%q min:3:%q default:4:%q defaultRequest:5:%q maxLimitRequestRatio:6:%q
core.LimitRangeSpec limits:1:*core.LimitRangeItem
core.LocalObjectReference name:1:s
core.NFSVolumeSource server:1:s path:2:s readOnly:3:b
core.Namespace metadata:1:meta.ObjectMeta spec:2:core.NamespaceSpec
core.NamespaceSpec finalizers:1:*s
core.Node metadata:1:meta.ObjectMeta spec:2:core.NodeSpec
core.NodeAffinity requiredDuringSchedulingIgnoredDuringExecution:1:core.NodeSelector preferredDuringSchedulingIgnoredDuringExecution:2:*core.PreferredSchedulingTerm
core.NodeConfigSource configMap:2:core.ConfigMapNodeConfigSource
core.NodePodPreemptionPolicy disableResizePreemption:1:*s
core.NodeSelector nodeSelectorTerms:1:*core.NodeSelectorTerm
core.NodeSelectorRequirement key:1:s operator:2:s values:3:*s
core.NodeSelectorTerm matchExpressions:1:*core.NodeSelectorRequirement matchFields:2:*core.NodeSelectorRequirement
core.NodeSpec podCIDR:1:s podCIDRs:7:*s providerID:3:s unschedulable:4:b taints:5:*core.Taint configSource:6:core.NodeConfigSource externalID:2:s podPreemptionPolicy:8:core.NodePodPreemptionPolicy
core.ObjectFieldSelector apiVersion:1:s fieldPath:2:s
core.ObjectReference kind:1:s namespace:2:s name:3:s uid:4:s apiVersion:5:s resourceVersion:6:s fieldPath:7:s
core.PersistentVolumeClaim metadata:1:meta.ObjectMeta spec:2:core.PersistentVolumeClaimSpec
core.PersistentVolumeClaimSpec accessModes:1:*s selector:4:meta.LabelSelector resources:2:core.VolumeResourceRequirements volumeName:3:s storageClassName:5:s volumeMode:6:s dataSource:7:core.TypedLocalObjectReference dataSourceRef:8:core.TypedObjectReference volumeAttributesClassName:9:s
core.PersistentVolumeClaimTemplate metadata:1:meta.ObjectMeta spec:2:core.PersistentVolumeClaimSpec
core.PersistentVolumeClaimVolumeSource claimName:1:s readOnly:2:b
core.PhotonPersistentDiskVolumeSource pdID:1:s fsType:2:s
core.Pod metadata:1:meta.ObjectMeta spec:2:core.PodSpec
core.PodAffinity requiredDuringSchedulingIgnoredDuringExecution:1:*core.PodAffinityTerm preferredDuringSchedulingIgnoredDuringExecution:2:*core.WeightedPodAffinityTerm
core.PodAffinityTerm labelSelector:1:meta.LabelSelector namespaces:2:*s topologyKey:3:s namespaceSelector:4:meta.LabelSelector matchLabelKeys:5:*s mismatchLabelKeys:6:*s
core.PodAntiAffinity requiredDuringSchedulingIgnoredDuringExecution:1:*core.PodAffinityTerm preferredDuringSchedulingIgnoredDuringExecution:2:*core.WeightedPodAffinityTerm
core.PodCertificateProjection signerName:1:s keyType:2:s maxExpirationSeconds:3:i credentialBundlePath:4:s keyPath:5:s certificateChainPath:6:s userAnnotations:7:%s user:8:i
core.PodDNSConfig nameservers:1:*s searches:2:*s options:3:*core.PodDNSConfigOption
core.PodDNSConfigOption name:1:s value:2:s
core.PodOS name:1:s
core.PodReadinessGate conditionType:1:s
core.PodResourceClaim name:1:s resourceClaimName:3:s resourceClaimTemplateName:4:s
core.PodSchedulingGate name:1:s
core.PodSchedulingGroup podGroupName:1:s
core.PodSecurityContext seLinuxOptions:1:core.SELinuxOptions windowsOptions:8:core.WindowsSecurityContextOptions runAsUser:2:i runAsGroup:6:i runAsNonRoot:3:b supplementalGroups:4:*i supplementalGroupsPolicy:12:s fsGroup:5:i sysctls:7:*core.Sysctl fsGroupChangePolicy:9:s seccompProfile:10:core.SeccompProfile appArmorProfile:11:core.AppArmorProfile seLinuxChangePolicy:13:s
core.PodSpec volumes:1:*core.Volume initContainers:20:*core.Container containers:2:*core.Container ephemeralContainers:34:*core.EphemeralContainer restartPolicy:3:s terminationGracePeriodSeconds:4:i activeDeadlineSeconds:5:i dnsPolicy:6:s nodeSelector:7:%s serviceAccountName:8:s serviceAccount:9:s automountServiceAccountToken:21:b nodeName:10:s hostNetwork:11:b hostPID:12:b hostIPC:13:b shareProcessNamespace:27:b securityContext:14:core.PodSecurityContext imagePullSecrets:15:*core.LocalObjectReference hostname:16:s subdomain:17:s affinity:18:core.Affinity schedulerName:19:s tolerations:22:*core.Toleration hostAliases:23:*core.HostAlias priorityClassName:24:s priority:25:i dnsConfig:26:core.PodDNSConfig readinessGates:28:*core.PodReadinessGate runtimeClassName:29:s enableServiceLinks:30:b preemptionPolicy:31:s overhead:32:%q topologySpreadConstraints:33:*core.TopologySpreadConstraint setHostnameAsFQDN:35:b os:36:core.PodOS hostUsers:37:b schedulingGates:38:*core.PodSchedulingGate resourceClaims:39:*core.PodResourceClaim resources:40:core.ResourceRequirements hostnameOverride:41:s schedulingGroup:43:core.PodSchedulingGroup evictionResponders:44:*core.EvictionResponder
core.PodTemplateSpec metadata:1:meta.ObjectMeta spec:2:core.PodSpec
core.PortworxVolumeSource volumeID:1:s fsType:2:s readOnly:3:b
core.PreferredSchedulingTerm weight:1:i preference:2:core.NodeSelectorTerm
core.Probe handler:1:core.ProbeHandler initialDelaySeconds:2:i timeoutSeconds:3:i periodSeconds:4:i successThreshold:5:i failureThreshold:6:i terminationGracePeriodSeconds:7:i
core.ProbeHandler exec:1:core.ExecAction httpGet:2:core.HTTPGetAction tcpSocket:3:core.TCPSocketAction grpc:4:core.GRPCAction
core.ProjectedVolumeSource sources:1:*core.VolumeProjection defaultMode:2:i defaultUser:3:i
core.QuobyteVolumeSource registry:1:s volume:2:s readOnly:3:b user:4:s group:5:s tenant:6:s
core.RBDVolumeSource monitors:1:*s image:2:s fsType:3:s pool:4:s user:5:s keyring:6:s secretRef:7:core.LocalObjectReference readOnly:8:b
core.ResourceClaim name:1:s request:2:s
core.ResourceFieldSelector containerName:1:s resource:2:s divisor:3:q
core.ResourceQuota metadata:1:meta.ObjectMeta spec:2:core.ResourceQuotaSpec
core.ResourceQuotaSpec hard:1:%q scopes:2:*s scopeSelector:3:core.ScopeSelector
core.ResourceRequirements limits:1:%q requests:2:%q claims:3:*core.ResourceClaim
core.SELinuxOptions user:1:s role:2:s type:3:s level:4:s
core.ScaleIOVolumeSource gateway:1:s system:2:s secretRef:3:core.LocalObjectReference sslEnabled:4:b protectionDomain:5:s storagePool:6:s storageMode:7:s volumeName:8:s fsType:9:s readOnly:10:b
core.ScopeSelector matchExpressions:1:*core.ScopedResourceSelectorRequirement
core.ScopedResourceSelectorRequirement scopeName:1:s operator:2:s values:3:*s
core.SeccompProfile type:1:s localhostProfile:2:s
core.Secret metadata:1:meta.ObjectMeta immutable:5:b data:2:%y stringData:4:%s type:3:s
core.SecretEnvSource localObjectReference:1:core.LocalObjectReference optional:2:b
core.SecretKeySelector localObjectReference:1:core.LocalObjectReference key:2:s optional:3:b
core.SecretProjection localObjectReference:1:core.LocalObjectReference items:2:*core.KeyToPath optional:4:b
core.SecretVolumeSource secretName:1:s items:2:*core.KeyToPath defaultMode:3:i optional:4:b defaultUser:5:i
core.SecurityContext capabilities:1:core.Capabilities privileged:2:b seLinuxOptions:3:core.SELinuxOptions windowsOptions:10:core.WindowsSecurityContextOptions runAsUser:4:i runAsGroup:8:i runAsNonRoot:5:b readOnlyRootFilesystem:6:b allowPrivilegeEscalation:7:b procMount:9:s seccompProfile:11:core.SeccompProfile appArmorProfile:12:core.AppArmorProfile
core.Service metadata:1:meta.ObjectMeta spec:2:core.ServiceSpec
core.ServiceAccount metadata:1:meta.ObjectMeta secrets:2:*core.ObjectReference imagePullSecrets:3:*core.LocalObjectReference automountServiceAccountToken:4:b
core.ServiceAccountTokenProjection audience:1:s expirationSeconds:2:i path:3:s user:4:i
core.ServicePort name:1:s protocol:2:s appProtocol:6:s port:3:i targetPort:4:o nodePort:5:i
core.ServiceSpec ports:1:*core.ServicePort selector:2:%s clusterIP:3:s clusterIPs:18:*s type:4:s externalIPs:5:*s sessionAffinity:7:s loadBalancerIP:8:s loadBalancerSourceRanges:9:*s externalName:10:s externalTrafficPolicy:11:s healthCheckNodePort:12:i publishNotReadyAddresses:13:b sessionAffinityConfig:14:core.SessionAffinityConfig ipFamilies:19:*s ipFamilyPolicy:17:s allocateLoadBalancerNodePorts:20:b loadBalancerClass:21:s internalTrafficPolicy:22:s trafficDistribution:23:s
core.SessionAffinityConfig clientIP:1:core.ClientIPConfig
core.SleepAction seconds:1:i
core.StorageOSVolumeSource volumeName:1:s volumeNamespace:2:s fsType:3:s readOnly:4:b secretRef:5:core.LocalObjectReference
core.Sysctl name:1:s value:2:s
core.TCPSocketAction port:1:o host:2:s
core.Taint key:1:s value:2:s effect:3:s timeAdded:4:T
core.Toleration key:1:s operator:2:s value:3:s effect:4:s tolerationSeconds:5:i
core.TopologySelectorLabelRequirement key:1:s values:2:*s
core.TopologySelectorTerm matchLabelExpressions:1:*core.TopologySelectorLabelRequirement
core.TopologySpreadConstraint maxSkew:1:i topologyKey:2:s whenUnsatisfiable:3:s labelSelector:4:meta.LabelSelector minDomains:5:i nodeAffinityPolicy:6:s nodeTaintsPolicy:7:s matchLabelKeys:8:*s
core.TypedLocalObjectReference apiGroup:1:s kind:2:s name:3:s
core.TypedObjectReference apiGroup:1:s kind:2:s name:3:s namespace:4:s
core.Volume name:1:s volumeSource:2:core.VolumeSource
core.VolumeDevice name:1:s devicePath:2:s
core.VolumeMount name:1:s readOnly:2:b recursiveReadOnly:7:s mountPath:3:s subPath:4:s mountPropagation:5:s subPathExpr:6:s bindMountOptions:8:*s
core.VolumeProjection secret:1:core.SecretProjection downwardAPI:2:core.DownwardAPIProjection configMap:3:core.ConfigMapProjection serviceAccountToken:4:core.ServiceAccountTokenProjection clusterTrustBundle:5:core.ClusterTrustBundleProjection podCertificate:6:core.PodCertificateProjection
core.VolumeResourceRequirements limits:1:%q requests:2:%q
core.VolumeSource hostPath:1:core.HostPathVolumeSource emptyDir:2:core.EmptyDirVolumeSource gcePersistentDisk:3:core.GCEPersistentDiskVolumeSource awsElasticBlockStore:4:core.AWSElasticBlockStoreVolumeSource gitRepo:5:core.GitRepoVolumeSource secret:6:core.SecretVolumeSource nfs:7:core.NFSVolumeSource iscsi:8:core.ISCSIVolumeSource glusterfs:9:core.GlusterfsVolumeSource persistentVolumeClaim:10:core.PersistentVolumeClaimVolumeSource rbd:11:core.RBDVolumeSource flexVolume:12:core.FlexVolumeSource cinder:13:core.CinderVolumeSource cephfs:14:core.CephFSVolumeSource flocker:15:core.FlockerVolumeSource downwardAPI:16:core.DownwardAPIVolumeSource fc:17:core.FCVolumeSource azureFile:18:core.AzureFileVolumeSource configMap:19:core.ConfigMapVolumeSource vsphereVolume:20:core.VsphereVirtualDiskVolumeSource quobyte:21:core.QuobyteVolumeSource azureDisk:22:core.AzureDiskVolumeSource photonPersistentDisk:23:core.PhotonPersistentDiskVolumeSource projected:26:core.ProjectedVolumeSource portworxVolume:24:core.PortworxVolumeSource scaleIO:25:core.ScaleIOVolumeSource storageos:27:core.StorageOSVolumeSource csi:28:core.CSIVolumeSource ephemeral:29:core.EphemeralVolumeSource image:30:core.ImageVolumeSource
core.VsphereVirtualDiskVolumeSource volumePath:1:s fsType:2:s storagePolicyName:3:s storagePolicyID:4:s
core.WeightedPodAffinityTerm weight:1:i podAffinityTerm:2:core.PodAffinityTerm
core.WindowsSecurityContextOptions gmsaCredentialSpecName:1:s gmsaCredentialSpec:2:s runAsUserName:3:s hostProcess:4:b
meta.DeleteOptions gracePeriodSeconds:1:i preconditions:2:meta.Preconditions orphanDependents:3:b propagationPolicy:4:s dryRun:5:*s ignoreStoreReadErrorWithClusterBreakingPotential:6:b
meta.FieldSelectorRequirement key:1:s operator:2:s values:3:*s
meta.LabelSelector matchLabels:1:%s matchExpressions:2:*meta.LabelSelectorRequirement
meta.LabelSelectorRequirement key:1:s operator:2:s values:3:*s
meta.ManagedFieldsEntry manager:1:s operation:2:s apiVersion:3:s time:4:T fieldsType:6:s fieldsV1:7:r subresource:8:s
meta.ObjectMeta name:1:s generateName:2:s namespace:3:s selfLink:4:s uid:5:s resourceVersion:6:s generation:7:i creationTimestamp:8:T deletionTimestamp:9:T deletionGracePeriodSeconds:10:i labels:11:%s annotations:12:%s ownerReferences:13:*meta.OwnerReference finalizers:14:*s managedFields:17:*meta.ManagedFieldsEntry
meta.OwnerReference apiVersion:5:s kind:1:s name:3:s uid:4:s controller:6:b blockOwnerDeletion:7:b
meta.Preconditions uid:1:s resourceVersion:2:s
networking.HTTPIngressPath path:1:s pathType:3:s backend:2:networking.IngressBackend
networking.HTTPIngressRuleValue paths:1:*networking.HTTPIngressPath
networking.IPBlock cidr:1:s except:2:*s
networking.Ingress metadata:1:meta.ObjectMeta spec:2:networking.IngressSpec
networking.IngressBackend service:4:networking.IngressServiceBackend resource:3:core.TypedLocalObjectReference
networking.IngressClass metadata:1:meta.ObjectMeta spec:2:networking.IngressClassSpec
networking.IngressClassParametersReference aPIGroup:1:s kind:2:s name:3:s scope:4:s namespace:5:s
networking.IngressClassSpec controller:1:s parameters:2:networking.IngressClassParametersReference
networking.IngressRule host:1:s ingressRuleValue:2:networking.IngressRuleValue
networking.IngressRuleValue http:1:networking.HTTPIngressRuleValue
networking.IngressServiceBackend name:1:s port:2:networking.ServiceBackendPort
networking.IngressSpec ingressClassName:4:s defaultBackend:1:networking.IngressBackend tls:2:*networking.IngressTLS rules:3:*networking.IngressRule
networking.IngressTLS hosts:1:*s secretName:2:s
networking.NetworkPolicy metadata:1:meta.ObjectMeta spec:2:networking.NetworkPolicySpec
networking.NetworkPolicyEgressRule ports:1:*networking.NetworkPolicyPort to:2:*networking.NetworkPolicyPeer
networking.NetworkPolicyIngressRule ports:1:*networking.NetworkPolicyPort from:2:*networking.NetworkPolicyPeer
networking.NetworkPolicyPeer podSelector:1:meta.LabelSelector namespaceSelector:2:meta.LabelSelector ipBlock:3:networking.IPBlock
networking.NetworkPolicyPort protocol:1:s port:2:o endPort:3:i
networking.NetworkPolicySpec podSelector:1:meta.LabelSelector ingress:2:*networking.NetworkPolicyIngressRule egress:3:*networking.NetworkPolicyEgressRule policyTypes:4:*s
networking.ServiceBackendPort name:1:s number:2:i
policy.Eviction metadata:1:meta.ObjectMeta deleteOptions:2:meta.DeleteOptions
policy.PodDisruptionBudget metadata:1:meta.ObjectMeta spec:2:policy.PodDisruptionBudgetSpec
policy.PodDisruptionBudgetSpec minAvailable:1:o selector:2:meta.LabelSelector maxUnavailable:3:o unhealthyPodEvictionPolicy:4:s
rbac.AggregationRule clusterRoleSelectors:1:*meta.LabelSelector
rbac.ClusterRole metadata:1:meta.ObjectMeta rules:2:*rbac.PolicyRule aggregationRule:3:rbac.AggregationRule
rbac.ClusterRoleBinding metadata:1:meta.ObjectMeta subjects:2:*rbac.Subject roleRef:3:rbac.RoleRef
rbac.PolicyRule verbs:1:*s apiGroups:2:*s resources:3:*s resourceNames:4:*s nonResourceURLs:5:*s
rbac.Role metadata:1:meta.ObjectMeta rules:2:*rbac.PolicyRule
rbac.RoleBinding metadata:1:meta.ObjectMeta subjects:2:*rbac.Subject roleRef:3:rbac.RoleRef
rbac.RoleRef apiGroup:1:s kind:2:s name:3:s
rbac.Subject kind:1:s apiGroup:2:s name:3:s namespace:4:s
scheduling.PriorityClass metadata:1:meta.ObjectMeta value:2:i globalDefault:3:b description:4:s preemptionPolicy:5:s
storage.StorageClass metadata:1:meta.ObjectMeta provisioner:2:s parameters:3:%s reclaimPolicy:4:s mountOptions:5:*s allowVolumeExpansion:6:b volumeBindingMode:7:s allowedTopologies:8:*core.TopologySelectorTerm
"""
